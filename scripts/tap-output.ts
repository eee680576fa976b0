/** What a run of tap said, made short: its counts, and in full what failed or was skipped. */
export interface TapSummary {
  readonly passed: number;
  readonly failed: number;
  /** A block of text for each test file that failed, without what passed in it. */
  readonly failures: readonly string[];
  /** The skipped tests with their reasons. */
  readonly skipped: readonly string[];
  /** The test files that took longest, longest first. */
  readonly slowest: readonly { readonly file: string; readonly seconds: number }[];
}

/**
 * Reads the output of `tap run --reporter=tap`: a block for each test file, that starts with "# Subtest: FILE" and ends
 * with the line "ok 1 - FILE" or "not ok 1 - FILE", and at last the counts.
 */
export function summariseTap(output: string): TapSummary {
  const failures: string[] = [];
  const skipped: string[] = [];
  const times: { file: string; seconds: number }[] = [];
  let file = "";
  let block: string[] = [];
  for (const line of output.split("\n")) {
    const start = /^# Subtest: (.*)$/.exec(line);
    if (start) {
      file = start[1] ?? "";
      block = [];
      continue;
    }
    if (line.startsWith("not ok ")) failures.push([file, ...block].join("\n"));
    else if (line.startsWith(" ") && !isAboutSuccess(line)) block.push(line);
    const time = /^(?:not )?ok .* # time=([0-9.]+)ms/.exec(line);
    if (time) times.push({ file, seconds: Number(time[1]) / 1000 });
    const skip = /^\s*ok [0-9]+ (?:- )?(.*) # SKIP ?(.*)$/.exec(line);
    if (skip) skipped.push([file, skip[1], skip[2]].filter(Boolean).join(": "));
  }
  const counts = /^# \{ total: [0-9]+, pass: ([0-9]+)(?:, fail: ([0-9]+))?/m.exec(output);
  // A run that broke off has no counts.
  return {
    passed: Number(counts?.[1] ?? 0),
    failed: Number(counts?.[2] ?? (counts ? 0 : 1)),
    failures,
    skipped,
    slowest: times.toSorted((a, b) => b.seconds - a.seconds).slice(0, 3),
  };
}

function isAboutSuccess(line: string): boolean {
  return /^\s*(ok [0-9]|[0-9]+\.\.[0-9]+|# time=|TAP version|$)/.test(line);
}
