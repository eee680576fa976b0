import { setImmediate } from "node:timers/promises";
import t from "tap";
import type { DelayedEvent } from "../../storage/delayed-events.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { createLogTo } from "../../telemetry/log.ts";
import { DelayedEventSchedule } from "./schedule.ts";

const log = createLogTo(process.stderr, "fatal");

/** A clock that can be set, as a machine's can. */
class SettableClock extends ManualClock {
  offsetMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.offsetMs;
  }
}

function scene() {
  const clock = new SettableClock(0);
  const waiting = new Map<string, DelayedEvent>();
  const sent: string[] = [];
  let reads = 0;
  const inOrder = () =>
    [...waiting.values()].toSorted((a, b) => a.sendTs - b.sendTs || a.delayNid - b.delayNid);
  const schedule = new DelayedEventSchedule({
    clock,
    log,
    store: {
      async due(nowTs, limit) {
        reads += 1;
        return inOrder()
          .filter(({ sendTs }) => sendTs <= nowTs)
          .slice(0, limit);
      },
      async nextTs(afterTs) {
        return inOrder().find(({ sendTs }) => sendTs > afterTs)?.sendTs;
      },
    },
    async send(event) {
      await behaviour.send(event);
      sent.push(event.delayId);
      waiting.delete(event.delayId);
    },
  });
  const behaviour = { send: async (_event: DelayedEvent): Promise<void> => undefined };
  const add = (delayId: string, sendTs: number, roomId = "!a:hearth.test") => {
    const event: Partial<DelayedEvent> = { delayId, sendTs, roomId, delayNid: waiting.size };
    waiting.set(delayId, event as DelayedEvent);
    schedule.expect(sendTs);
  };
  const advance = async (durationMs: number) => {
    clock.advance(durationMs);
    for (let turn = 0; turn < 20; turn++) await setImmediate();
  };
  return { clock, schedule, behaviour, sent, add, advance, reads: () => reads };
}

t.test("events are sent when their time comes, in order, and not before", async (t) => {
  const { add, advance, sent, clock, schedule } = scene();
  schedule.start();
  await advance(0);
  add("late", 300);
  add("early", 100);
  add("same", 300);
  await advance(99);
  t.strictSame(sent, []);
  await advance(1);
  t.strictSame(sent, ["early"]);
  await advance(200);
  t.strictSame(sent, ["early", "late", "same"]);
  t.equal(clock.waitingTimers, 0, "nothing is waited for");
});

t.test("what came due before the start is sent in the order of its times", async (t) => {
  const { add, advance, sent, schedule, clock } = scene();
  clock.offsetMs = 10_000;
  add("b", 200);
  add("a", 100);
  add("c", 50_000);
  schedule.start();
  await advance(0);
  t.strictSame(sent, ["a", "b"]);
});

t.test("while nothing is due storage is left alone", async (t) => {
  const { add, advance, reads, schedule } = scene();
  schedule.start();
  await advance(0);
  const before = reads();
  add("a", 59_000);
  await advance(58_000);
  t.equal(reads(), before);
});

t.test("a clock that is put forward or back loses nothing", async (t) => {
  const { add, advance, sent, schedule, clock } = scene();
  schedule.start();
  await advance(0);
  add("a", 3_600_000);
  clock.offsetMs = 3_600_000;
  await advance(60_000);
  t.strictSame(sent, ["a"], "within a minute");
  add("b", clock.nowMs() + 1_000);
  clock.offsetMs = 0;
  await advance(1_000);
  t.strictSame(sent, ["a"], "its time has not come");
  clock.offsetMs = 3_600_000;
  await advance(60_000);
  t.strictSame(sent, ["a", "b"]);
});

t.test("a room does not wait for another; within a room the order is kept", async (t) => {
  const { add, advance, sent, schedule, behaviour } = scene();
  const gate = Promise.withResolvers<void>();
  behaviour.send = ({ delayId }) => (delayId === "slow" ? gate.promise : Promise.resolve());
  schedule.start();
  await advance(0);
  add("slow", 100, "!slow:hearth.test");
  add("behind", 100, "!slow:hearth.test");
  add("other", 100, "!other:hearth.test");
  await advance(100);
  t.strictSame(sent, ["other"]);
  gate.resolve();
  await advance(0);
  t.strictSame(sent, ["other", "slow", "behind"]);
});

t.test("what cannot be sent for reasons of ours is tried again", async (t) => {
  const { add, advance, sent, schedule, behaviour } = scene();
  let failures = 2;
  behaviour.send = async () => {
    failures -= 1;
    if (failures >= 0) throw new Error("the disk is full");
  };
  schedule.start();
  await advance(0);
  add("a", 100);
  await advance(100);
  t.strictSame(sent, []);
  await advance(1_000);
  await advance(1_000);
  t.strictSame(sent, ["a"]);
});

t.test("thousands at one moment all are sent", async (t) => {
  const { add, advance, sent, schedule } = scene();
  schedule.start();
  await advance(0);
  for (let index = 0; index < 1_000; index++) add(String(index), 100, `!${index % 7}:hearth.test`);
  await advance(100);
  while (sent.length < 1_000) await advance(1);
  t.equal(new Set(sent).size, 1_000);
});

t.test("its end waits for what is being sent and begins nothing", async (t) => {
  const { add, advance, sent, schedule, behaviour, clock } = scene();
  const gate = Promise.withResolvers<void>();
  behaviour.send = () => gate.promise;
  schedule.start();
  await advance(0);
  add("a", 100);
  add("b", 200);
  await advance(100);
  const end = schedule[Symbol.asyncDispose]();
  gate.resolve();
  await end;
  t.strictSame(sent, ["a"]);
  t.equal(clock.waitingTimers, 0);
});
