import t from "tap";
import { Observed, type EndedRequest } from "./observations.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { Traffic, trafficIntervalMs } from "./traffic.ts";

function request(status: number, durationMs: number, search = ""): EndedRequest {
  return { requestId: "r", operationId: "o", method: "GET", path: "/", search, status, durationMs };
}

t.test("requests are counted by interval, from when they are asked for", (t) => {
  const clock = new ManualClock();
  const requests = new Observed<EndedRequest>();
  const traffic = new Traffic(requests, clock);
  t.notOk(requests.isFollowed, "it costs nothing before");
  requests.tell(request(200, 1));
  t.strictSame(traffic.watch(), []);
  for (let ms = 1; ms <= 20; ms += 1) requests.tell(request(200, ms));
  requests.tell(request(404, 1));
  requests.tell(request(500, 1));
  requests.tell(request(200, 30_000, "?timeout=30000"));
  clock.advance(2 * trafficIntervalMs);
  const [first, second, ...more] = traffic.watch();
  t.match(first, { succeeded: 21, refused: 1, failed: 1, medianMs: 10, slowMs: 20 });
  t.match(second, { succeeded: 0, medianMs: null, slowMs: null });
  t.strictSame(more, []);
  t.end();
});

t.test("it ends when nobody has asked for a minute, and begins anew", (t) => {
  const clock = new ManualClock();
  const requests = new Observed<EndedRequest>();
  const traffic = new Traffic(requests, clock);
  traffic.watch();
  clock.advance(61_000);
  requests.tell(request(200, 1));
  t.notOk(requests.isFollowed);
  t.strictSame(traffic.watch(), []);
  t.ok(requests.isFollowed);
  t.end();
});

t.test("ten minutes are kept", (t) => {
  const clock = new ManualClock();
  const traffic = new Traffic(new Observed<EndedRequest>(), clock);
  traffic.watch();
  for (let minute = 0; minute < 30; minute += 1) {
    clock.advance(60_000);
    traffic.watch();
  }
  const kept = traffic.watch();
  t.equal(kept.length, 119);
  t.ok(kept.every(({ ts }, index) => index === 0 || ts - (kept[index - 1]?.ts ?? 0) === trafficIntervalMs));
  t.end();
});
