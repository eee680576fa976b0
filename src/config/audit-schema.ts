import { Type } from "../schema/type.ts";

/** What is remembered of administrators. */
export const auditKeys = {
  audit: Type.Object({
    retention_days: Type.Integer({
      description: "For how many days it is remembered what administrators did, when and from where.",
      default: 1_095,
      minimum: 90,
      maximum: 36_500,
    }),
  }),
};
