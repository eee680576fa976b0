// Writes the ledger from a whole run of Complement: `npm run complement:record -- OUT --commit COMMIT [--reason WHY]`, where
// OUT is the output of `go test -json` or a list of results. Tests that fail keep their reasons; WHY is for new ones.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { formatLedger, type LedgerEntry, parseLedger, parseResults, updateEntries } from "./ledger.ts";
import { ledgerFile } from "./ledger-file.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    commit: { type: "string" },
    reason: { type: "string", default: "not looked into yet" },
    date: { type: "string", default: new Date().toISOString().slice(0, 10) },
  },
});
const [file] = positionals;
const { commit, reason, date } = values;
if (file === undefined || commit === undefined) {
  throw new Error("usage: npm run complement:record -- OUT --commit COMMIT [--reason WHY]");
}

const before: ReadonlyMap<string, LedgerEntry> = existsSync(ledgerFile)
  ? parseLedger(readFileSync(ledgerFile, "utf8")).entries
  : new Map();
const entries = updateEntries(before, parseResults(readFileSync(file, "utf8")), reason);
writeFileSync(ledgerFile, formatLedger({ date, commit, entries }));
process.stdout.write(`${ledgerFile}: ${entries.size} tests\n`);
