import t from "tap";
import { compare, failsWithin, formatLedger, parseLedger, parseResults, updateEntries } from "./ledger.ts";

const event = (Action: string, Test?: string) => JSON.stringify({ Action, Test, Package: "tests" });

t.test("results are read from the stream of go test and from a list", async (t) => {
  const stream = [
    event("start"),
    event("run", "TestA"),
    event("run", "TestA/sub"),
    event("output", "TestA/sub"),
    event("pass", "TestA/sub"),
    event("run", "TestB"),
    event("skip", "TestC"),
    event("fail", "TestA"),
    event("fail"),
    "",
  ].join("\n");
  t.strictSame(
    [...parseResults(stream)],
    [
      ["TestA", "fail"],
      ["TestA/sub", "pass"],
      ["TestB", "open"],
      ["TestC", "skip"],
    ],
  );
  const list = "TestA\tpass\ttests\nTestA\tfail\ttests/csapi\nTestA\tpass\ttests/msc1\nTestB\tskip\ttests\n";
  t.strictSame(
    [...parseResults(list)],
    [
      ["TestA", "fail"],
      ["TestB", "skip"],
    ],
    "the worse of two results of a name counts",
  );
  t.throws(() => parseResults("TestA\tperhaps"), SyntaxError);
});

t.test("a ledger is read as it was written, sorted, with its counts", async (t) => {
  const entries = new Map([
    ["TestB", { result: "fail", reason: "needs federation" }],
    ["TestA", { result: "pass", reason: "" }],
  ] as const);
  const text = formatLedger({ date: "2026-11-23", commit: "abc", entries });
  t.match(text, "1 pass, 1 fail, 0 open");
  t.ok(text.indexOf("TestA\tpass\n") < text.indexOf("TestB\tfail\tneeds federation\n"));
  const read = parseLedger(text);
  t.equal(read.date, "2026-11-23");
  t.equal(read.commit, "abc");
  t.strictSame(read.entries.get("TestB"), entries.get("TestB"));
  t.throws(() => parseLedger("TestA\tpass\n"), SyntaxError);
});

t.test("reasons stay with the tests that fail, and go when they pass", async (t) => {
  const before = new Map([
    ["TestA", { result: "fail", reason: "needs federation" }],
    ["TestB/x", { result: "fail", reason: "old" }],
    ["TestC", { result: "fail", reason: failsWithin }],
  ] as const);
  const results = parseResults(
    "TestA\tfail\nTestA/new\tfail\nTestB\tpass\nTestB/x\tpass\nTestC\tfail\nTestC/y\tfail\nTestD\tskip\nTestE\topen\n",
  );
  const reasons = [...updateEntries(before, results, "new")].map(([test, { reason }]) => [test, reason]);
  t.strictSame(reasons, [
    ["TestA", failsWithin],
    ["TestA/new", "needs federation"],
    ["TestB", ""],
    ["TestB/x", ""],
    ["TestC", failsWithin],
    ["TestC/y", "new"],
    ["TestD", ""],
    ["TestE", "new"],
  ]);
});

t.test(
  "a test that passed has to pass again; one that was not run is missed unless some were meant",
  async (t) => {
    const entries = updateEntries(
      new Map(),
      parseResults("TestA\tpass\nTestA/x\tpass\nTestB\tpass\nTestC\tfail\nTestD\tskip\n"),
      "",
    );
    const ledger = { date: "2026-11-23", commit: "abc", entries };
    const results = parseResults("TestA\tfail\nTestC\tpass\nTestD\tfail\n");
    t.strictSame(compare(ledger, results, false), {
      broken: [
        { test: "TestA", result: "fail" },
        { test: "TestA/x", result: "absent" },
        { test: "TestB", result: "absent" },
      ],
      mended: ["TestC"],
    });
    t.strictSame(
      compare(ledger, results, true).broken.map(({ test }) => test),
      ["TestA"],
    );
  },
);
