import { endpoint } from "../endpoint.ts";

const page = { versions: [], api: "admin", access: "public", rateLimit: "none", method: "GET" } as const;

/** The console: a page that asks for everything else by the admin API, with its user's access token. */
export const showConsole = endpoint({
  ...page,
  operationId: "showConsole",
  path: "/_hearth/console",
  aliases: ["/_hearth/console/"],
});

/** What the page is made of. A file's name has a hash of what is in it. */
export const getConsoleAsset = endpoint({
  ...page,
  operationId: "getConsoleAsset",
  path: "/_hearth/console/v1/assets/{file}",
});
