import type { Migration } from "../migrate.ts";
import { accounts } from "./accounts.ts";
import { names } from "./names.ts";
import { rooms } from "./rooms.ts";

/** The schema of the first release, one file an owner. */
export const initial: Migration = {
  version: 1,
  sql: [names, accounts, rooms].join("\n"),
};
