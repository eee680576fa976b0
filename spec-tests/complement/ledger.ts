/** How a test of Complement ended; `open` is one that began and never ended. */
export type Result = "pass" | "fail" | "skip" | "open";

/** Results by the full name of the test, as `TestSync/parallel/...`. */
export type Results = Map<string, Result>;

export interface LedgerEntry {
  readonly result: Result;
  /** Why it does not pass; empty for one that does. */
  readonly reason: string;
}

export interface Ledger {
  /** The day of the measurement, as 2026-11-23. */
  readonly date: string;
  /** The commit of Complement. */
  readonly commit: string;
  readonly entries: Map<string, LedgerEntry>;
}

/** The reason of a test that only fails because a test within it does. */
export const failsWithin = "a test within it fails";

const worstFirst: readonly Result[] = ["open", "fail", "pass", "skip"];

/** A test that has begun is open until its end is told. */
const resultsOfActions: ReadonlyMap<string, Result> = new Map([
  ["run", "open"],
  ["pass", "pass"],
  ["fail", "fail"],
  ["skip", "skip"],
]);

/**
 * Reads what a run of Complement has put out: the stream of `go test -json`, or a list of lines "test, tab, result".
 * A name that occurs twice (in two packages) counts with its worse result.
 * @throws SyntaxError when it is neither
 */
export function parseResults(text: string): Results {
  const inPackages = new Map<string, Found>();
  for (const line of text.split("\n")) {
    const found = line.startsWith("{") ? fromEvent(line) : fromListLine(line);
    if (found) inPackages.set(`${found.package}\t${found.test}`, found);
  }
  const results: Results = new Map();
  for (const { test, result } of inPackages.values()) {
    const known = results.get(test);
    const isWorse = known === undefined || worstFirst.indexOf(result) < worstFirst.indexOf(known);
    if (isWorse) results.set(test, result);
  }
  return results;
}

interface Found {
  readonly package: string;
  readonly test: string;
  readonly result: Result;
}

function fromEvent(line: string): Found | undefined {
  const event: { Package?: string; Test?: string; Action?: string } = JSON.parse(line);
  const { Package: name = "", Test: test, Action: action = "" } = event;
  const result = resultsOfActions.get(action);
  return test === undefined || result === undefined ? undefined : { package: name, test, result };
}

function fromListLine(line: string): Found | undefined {
  if (line === "" || line.startsWith("#")) return undefined;
  const [test = "", word = "", name = ""] = line.split("\t");
  const result = worstFirst.find((known) => known === word);
  if (result === undefined) throw new SyntaxError(`This is not a line of results: ${line.slice(0, 200)}`);
  return { package: name, test, result };
}

/** @throws SyntaxError when the text is not a ledger. */
export function parseLedger(text: string): Ledger {
  const head = /^# Measured on (\S+) with Complement at (\S+)$/m.exec(text);
  const [, date, commit] = head ?? [];
  if (date === undefined || commit === undefined) {
    throw new SyntaxError("The ledger does not say when and with which Complement it was measured.");
  }
  const entries = new Map<string, LedgerEntry>();
  for (const line of text.split("\n")) {
    const found = fromListLine(line);
    if (!found) continue;
    const [, , reason = ""] = line.split("\t");
    entries.set(found.test, { result: found.result, reason });
  }
  return { date, commit, entries };
}

/** The ledger as it is written to the file, sorted by the names of the tests. */
export function formatLedger({ date, commit, entries }: Ledger): string {
  const lines = [...entries]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([test, { result, reason }]) => [test, result, ...(reason === "" ? [] : [reason])].join("\t"));
  const counts = worstFirst.map(
    (result) => `${[...entries.values()].filter((entry) => entry.result === result).length} ${result}`,
  );
  return [
    `# Measured on ${date} with Complement at ${commit}`,
    `# Without a build tag: ${counts.toReversed().join(", ")}`,
    "# test, result, and for a test that does not pass: why",
    ...lines,
    "",
  ].join("\n");
}

/**
 * What a new measurement makes of the ledger. A test that does not pass keeps its reason, or has that of the nearest
 * test around it, or `reason`.
 */
export function updateEntries(
  before: ReadonlyMap<string, LedgerEntry>,
  results: Results,
  reason: string,
): Map<string, LedgerEntry> {
  const entries = new Map<string, LedgerEntry>();
  const failing = [...results].filter(([, result]) => isFailure(result)).map(([test]) => test);
  const around = new Set(failing.flatMap(namesAround));
  for (const [test, result] of results) {
    const why = () =>
      around.has(test) ? failsWithin : (knownReason(before, test) ?? (result === "skip" ? "" : reason));
    entries.set(test, { result, reason: result === "pass" ? "" : why() });
  }
  return entries;
}

function knownReason(before: ReadonlyMap<string, LedgerEntry>, test: string): string | undefined {
  return [test, ...namesAround(test)]
    .map((name) => before.get(name)?.reason ?? "")
    .find((known) => known !== "" && known !== failsWithin);
}

/** The names of the tests that a test is within, the nearest first. */
function namesAround(test: string): string[] {
  const names: string[] = [];
  for (let at = test.lastIndexOf("/"); at > 0; at = test.lastIndexOf("/", at - 1))
    names.push(test.slice(0, at));
  return names;
}

function isFailure(result: Result): boolean {
  return result === "fail" || result === "open";
}

export interface Comparison {
  /** Tests that passed by the ledger and do not now, with what they do. */
  readonly broken: readonly { readonly test: string; readonly result: Result | "absent" }[];
  /** Tests that pass now and did not. */
  readonly mended: readonly string[];
}

/**
 * Compares a run with the ledger.
 * @param isPartial whether only some tests were run, so that none is missed
 */
export function compare(ledger: Ledger, results: Results, isPartial: boolean): Comparison {
  const broken = [...ledger.entries]
    .filter(([test, { result }]) => result === "pass" && (!isPartial || results.has(test)))
    .map(([test]) => ({ test, result: results.get(test) ?? ("absent" as const) }))
    .filter(({ result }) => result !== "pass");
  const mended = [...results]
    .filter(([test, result]) => result === "pass" && ledger.entries.get(test)?.result !== "pass")
    .map(([test]) => test);
  return { broken, mended };
}
