// Compares a run of Complement with the ledger: `npm run complement:check -- OUT [--partial]`, where OUT is the output of
// `go test -json` or a list of results. It ends with 1 when a test that passed does not pass any more.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { compare, parseLedger, parseResults } from "./ledger.ts";
import { ledgerFile } from "./ledger-file.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { partial: { type: "boolean", default: false } },
});
const [file] = positionals;
if (file === undefined) throw new Error("usage: npm run complement:check -- OUT [--partial]");

const ledger = parseLedger(readFileSync(ledgerFile, "utf8"));
const { broken, mended } = compare(ledger, parseResults(readFileSync(file, "utf8")), values.partial);
for (const test of mended) process.stdout.write(`now passes: ${test}\n`);
for (const { test, result } of broken) process.stdout.write(`BROKEN (${result}): ${test}\n`);
process.stdout.write(
  `${broken.length} broken, ${mended.length} mended since ${ledger.date} (Complement ${ledger.commit})\n`,
);
process.exitCode = broken.length === 0 ? 0 : 1;
