import t from "tap";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { type WaitingReceipt, WaitingReceipts } from "./waiting-receipts.ts";

function setUp() {
  const clock = new ManualClock();
  const tried: [number, WaitingReceipt[]][] = [];
  const waiting = new WaitingReceipts(
    clock,
    (roomNid, receipts) => void tried.push([roomNid, [...receipts]]),
  );
  return { clock, waiting, tried };
}

const receipt = (userNid: number, eventId: string, thread = ""): WaitingReceipt => ({
  userNid,
  thread,
  eventIds: [eventId],
  ts: 1,
});

t.test("the last of each user and thread is tried when the room has got events", async (t) => {
  const { clock, waiting, tried } = setUp();
  const [old, recent, threaded] = [receipt(1, "$a"), receipt(1, "$b"), receipt(1, "$c", "main")];
  waiting.add(9, old);
  waiting.add(9, recent);
  waiting.add(9, threaded);
  waiting.add(8, receipt(1, "$d"));
  waiting.eventsCame(7);
  waiting.eventsCame(9);
  waiting.eventsCame(9);
  clock.advance(200);
  t.strictSame(tried, [[9, [recent, threaded]]]);
  waiting.eventsCame(9);
  clock.advance(200);
  t.equal(tried.length, 1, "what is tried is not kept");
  waiting[Symbol.dispose]();
});

t.test(
  "what is tried in vain waits on, no longer than five minutes, and gives way to what is later",
  async (t) => {
    const { clock, waiting, tried } = setUp();
    const [first, second] = [receipt(1, "$a"), receipt(1, "$b")];
    const retry = () => {
      waiting.eventsCame(9);
      clock.advance(200);
      return tried.at(-1)?.[1] ?? [];
    };
    waiting.add(9, first);
    clock.advance(1_000);
    t.strictSame(retry(), [first]);
    waiting.add(9, second);
    waiting.add(9, first);
    t.strictSame(retry(), [second]);
    waiting.add(9, second);
    clock.advance(298_000);
    t.strictSame(retry(), [second]);
    clock.advance(2_000);
    waiting.add(9, second);
    const { length } = tried;
    retry();
    t.equal(tried.length, length, "nobody waits any more");
    waiting[Symbol.dispose]();
  },
);

t.test("rooms and receipts are bounded, and no timer is left", async (t) => {
  const { clock, waiting, tried } = setUp();
  for (let user = 0; user < 300; user++) waiting.add(1, receipt(user, "$a"));
  waiting.eventsCame(1);
  clock.advance(200);
  t.equal(tried[0]?.[1].length, 200);
  for (let room = 0; room < 600; room++) waiting.add(room, receipt(1, "$a"));
  for (let room = 0; room < 600; room++) waiting.eventsCame(room);
  t.equal(clock.waitingTimers, 500);
  waiting[Symbol.dispose]();
  t.equal(clock.waitingTimers, 0);
});
