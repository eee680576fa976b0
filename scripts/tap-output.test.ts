import t from "tap";
import { summariseTap } from "./tap-output.ts";

const output = `TAP version 14
1..3
# Subtest: src/a.test.ts
    # Subtest: one
        ok 1 - fine
        not ok 2 - bad
          ---
          diff: |
            -2
            +1
          ...

        1..2
    not ok 1 - one # time=74.123ms
    1..1
    # time=658.103ms
not ok 1 - src/a.test.ts # time=658.103ms
  ---
  exitCode: 1
  ...

# Subtest: src/b.test.ts
    ok 1 - with the vectors # SKIP there are no vectors here
    ok 2 - two
    1..2
ok 2 - src/b.test.ts # time=1ms

# No coverage generated
# { total: 4, pass: 2, fail: 1, skip: 1 }
# time=2972.691ms
`;

t.test("counts, failures without what passed beside them, and reasons of skips", async (t) => {
  const summary = summariseTap(output);
  t.match(summary, {
    passed: 2,
    failed: 1,
    skipped: ["src/b.test.ts: with the vectors: there are no vectors here"],
  });
  t.strictSame(
    summary.slowest.map(({ file }) => file),
    ["src/a.test.ts", "src/b.test.ts"],
  );
  t.equal(summary.failures.length, 1);
  t.match(
    summary.failures[0],
    /^src\/a\.test\.ts\n {4}# Subtest: one\n {8}not ok 2 - bad\n {10}---\n[^]*\+1/,
  );
  t.notMatch(summary.failures[0], "fine");
});

t.test("a run that broke off has failed", async (t) => {
  t.match(summariseTap("TAP version 14\n# Subtest: src/a.test.ts\n    ok 1 - fine\n"), {
    passed: 0,
    failed: 1,
  });
});

t.test("a run without failures", async (t) => {
  t.strictSame(summariseTap("# { total: 4, pass: 4 }\n"), {
    passed: 4,
    failed: 0,
    failures: [],
    skipped: [],
    slowest: [],
  });
});
