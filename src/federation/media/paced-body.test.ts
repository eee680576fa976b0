import { PassThrough } from "node:stream";
import t from "tap";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { pacedBody } from "./paced-body.ts";

t.test("a body that trickles in is given up; one that comes in slowly but steadily is not", async (t) => {
  const clock = new ManualClock();
  const source = new PassThrough();
  let given = 0;
  const body = pacedBody(source, clock, () => {
    given += 1;
    source.destroy(new Error("too slow"));
  });
  for (let minute = 0; minute < 5; minute++) {
    source.write(Buffer.alloc(64 * 1024));
    for (let bytes = 0; bytes < 64 * 1024; ) bytes += (await body.next()).value?.length ?? 0;
    clock.advance(30_000);
    t.equal(given, 0);
  }
  for (let second = 0; second < 29; second++) {
    source.write("x");
    await body.next();
    clock.advance(1_000);
  }
  t.equal(given, 0);
  clock.advance(1_000);
  t.equal(given, 1);
  await t.rejects(body.next(), { message: "too slow" });
  t.equal(clock.waitingTimers, 0);
});

t.test("nothing is watched any more when a body ends, or nobody reads on", async (t) => {
  const clock = new ManualClock();
  const source = new PassThrough();
  source.end("all");
  for await (const chunk of pacedBody(source, clock, () => t.fail("it has ended")))
    t.equal(String(chunk), "all");
  t.equal(clock.waitingTimers, 0);
  const left = new PassThrough();
  left.write("some");
  for await (const chunk of pacedBody(left, clock, () => t.fail("nobody reads"))) {
    t.equal(String(chunk), "some");
    break;
  }
  t.equal(clock.waitingTimers, 0);
});
