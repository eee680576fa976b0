import { Type } from "../schema/type.ts";

/** The pages for administrators. */
export const consoleKeys = {
  console: Type.Object({
    enabled: Type.Boolean({
      description:
        "Whether administrators find a console for their browsers under /_hearth/console. It is served where the admin " +
        "API is served (see listeners).",
      default: true,
    }),
  }),
};
