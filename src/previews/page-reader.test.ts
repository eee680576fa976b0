import t from "tap";
import { systemClock } from "../telemetry/clock.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { PageReader, UnreadablePageError } from "./page-reader.ts";

const page = Buffer.from("<title>Grüße</title>");

t.test("pages are read one after the other, on another thread", async (t) => {
  await using reader = new PageReader({ clock: systemClock });
  const read = await Promise.all([1, 2, 3].map(() => reader.read(page, "text/html; charset=utf-8")));
  t.strictSame(
    read.map(({ title }) => title),
    ["Grüße", "Grüße", "Grüße"],
  );
});

t.test("a page that takes too long is given up, and the next one is read", async (t) => {
  const clock = new ManualClock();
  await using reader = new PageReader({ clock });
  const tooLong = reader.read(Buffer.from("<p>a".repeat(500_000)), undefined);
  await new Promise(setImmediate);
  clock.advance(10_000);
  await t.rejects(tooLong, UnreadablePageError);
  t.equal((await reader.read(page, undefined)).title, "Grüße");
});

t.test("a page that takes too much memory ends its thread, and nothing else", async (t) => {
  await using reader = new PageReader({ clock: systemClock, maxMemoryMib: 6 });
  const large = Buffer.from(`<p ${Array.from({ length: 400_000 }, (_, index) => `a${index}=b`).join(" ")}>`);
  await t.rejects(reader.read(large, undefined), UnreadablePageError);
});

t.test("nobody needing it, there is no thread", async (t) => {
  const clock = new ManualClock();
  await using reader = new PageReader({ clock });
  await reader.read(page, undefined);
  t.equal(clock.waitingTimers, 1, "the end of the thread");
  clock.advance(60_000);
  t.equal((await reader.read(page, undefined)).title, "Grüße", "a new one");
});
