import { join } from "node:path";

/** Where the results of the last measurement are kept. */
export const ledgerFile: string = join(import.meta.dirname, "results.tsv");
