import t from "tap";
import { requestedRange } from "./byte-range.ts";

t.test("parts of a file", async (t) => {
  t.strictSame(requestedRange("bytes=0-0", 10), { start: 0, end: 1 });
  t.strictSame(requestedRange("bytes=2-5", 10), { start: 2, end: 6 });
  t.strictSame(requestedRange("bytes=2-", 10), { start: 2, end: 10 });
  t.strictSame(requestedRange("bytes=2-99", 10), { start: 2, end: 10 });
  t.strictSame(requestedRange("bytes=-3", 10), { start: 7, end: 10 });
  t.strictSame(requestedRange("bytes=-99", 10), { start: 0, end: 10 });
});

t.test("parts that no file of this size has", async (t) => {
  t.equal(requestedRange("bytes=10-", 10), "unsatisfiable");
  t.equal(requestedRange("bytes=10-20", 10), "unsatisfiable");
  t.equal(requestedRange("bytes=-0", 10), "unsatisfiable");
  t.equal(requestedRange("bytes=0-", 0), "unsatisfiable");
  t.equal(requestedRange("bytes=-5", 0), "unsatisfiable");
});

t.test("everything else is the whole file", async (t) => {
  const headers = [
    undefined,
    "",
    "bytes=-",
    "bytes=5-2",
    "bytes=0-1,3-4",
    "lines=0-1",
    "bytes=a-b",
    "bytes 0-1",
  ];
  for (const header of headers) t.equal(requestedRange(header, 10), undefined, String(header));
});
