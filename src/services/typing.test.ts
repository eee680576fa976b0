import t from "tap";
import type { MemoryStream, PositionStore } from "../storage/positions.ts";
import { createLogTo } from "../telemetry/log.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { Typing } from "./typing.ts";

const silent = createLogTo(process.stderr, "fatal");
const roomNid = 5;

function setUp() {
  const clock = new ManualClock();
  let position = 100;
  const positions: Pick<PositionStore, "take"> = {
    async take(stream: MemoryStream, nid: number) {
      position++;
      typing.committed(position, [{ position, stream, nid }]);
    },
  };
  const typing = new Typing(positions, clock, silent);
  return { clock, typing, positionNow: () => position };
}

t.test("typing lasts as long as was asked for, and never very long", async (t) => {
  const { clock, typing } = setUp();
  await typing.start(roomNid, 1);
  await typing.start(roomNid, 2, 1_000);
  await typing.start(roomNid, 3, 10 ** 9);
  t.strictSame(typing.in(roomNid)?.userNids, [1, 2, 3]);
  clock.advance(1_000);
  t.strictSame(typing.in(roomNid)?.userNids, [1, 3]);
  clock.advance(29_000);
  t.strictSame(typing.in(roomNid)?.userNids, [3]);
  clock.advance(90_000);
  t.strictSame(typing.in(roomNid)?.userNids, []);
  t.equal(clock.waitingTimers, 0);
});

t.test("typing again puts the end off without being a change", async (t) => {
  const { clock, typing, positionNow } = setUp();
  await typing.start(roomNid, 1, 1_000);
  const begun = positionNow();
  clock.advance(900);
  await typing.start(roomNid, 1, 1_000);
  clock.advance(900);
  t.strictSame(typing.in(roomNid), { userNids: [1], position: begun });
  clock.advance(100);
  t.strictSame(typing.in(roomNid), { userNids: [], position: begun + 1 });
});

t.test("messages and leaving end typing in their room alone", async (t) => {
  const { typing } = setUp();
  for (const room of [roomNid, 6]) for (const user of [1, 2]) await typing.start(room, user);
  typing.committed(1, [{ position: 1, stream: "timeline", nid: roomNid, senderNid: 1 }]);
  t.strictSame(typing.in(roomNid)?.userNids, [2]);
  const left = { roomNid, joined: false };
  typing.committed(2, [{ position: 2, stream: "membership", nid: 2, membership: left }]);
  t.strictSame(typing.in(roomNid)?.userNids, []);
  const renamed = { roomNid: 6, joined: true };
  typing.committed(3, [{ position: 3, stream: "membership", nid: 2, membership: renamed }]);
  t.strictSame(typing.in(6)?.userNids, [1, 2]);
});

t.test("so many type in a room, and so many quiet rooms are remembered", async (t) => {
  const { clock, typing } = setUp();
  for (let user = 0; user < 150; user++) await typing.start(roomNid, user, 60_000);
  t.equal(typing.in(roomNid)?.userNids.length, 100);
  for (let room = 1_000; room < 11_100; room++) {
    await typing.start(room, 1);
    await typing.stop(room, 1);
  }
  t.equal(typing.in(1_000), undefined);
  t.ok(typing.in(11_099));
  t.equal(typing.in(roomNid)?.userNids.length, 100, "those in which somebody types are not forgotten");
  typing[Symbol.dispose]();
  t.equal(clock.waitingTimers, 0);
});

t.test("users of other servers type for a minute, unless their servers say otherwise", async (t) => {
  const { clock, typing } = setUp();
  typing.heard(roomNid, 1, true);
  typing.heard(roomNid, 2, true);
  clock.advance(59_000);
  typing.heard(roomNid, 2, true);
  t.strictSame(typing.in(roomNid)?.userNids, [1, 2]);
  clock.advance(1_000);
  t.strictSame(typing.in(roomNid)?.userNids, [2]);
  typing.heard(roomNid, 2, false);
  t.strictSame(typing.in(roomNid)?.userNids, []);
  clock.advance(1_000);
  t.equal(clock.waitingTimers, 0);
});

t.test(
  "however fast other servers change their minds, few are woken, and the last word is told",
  async (t) => {
    const { clock, typing, positionNow } = setUp();
    const before = positionNow();
    for (let change = 0; change <= 1_000; change++) {
      typing.heard(roomNid, 1, change % 2 === 0);
      clock.advance(1);
    }
    clock.advance(200);
    t.equal(positionNow() - before, 6, "one at once, and one for each 200 ms");
    t.strictSame(typing.in(roomNid), { userNids: [1], position: positionNow() });
    typing[Symbol.dispose]();
    t.equal(clock.waitingTimers, 0);
  },
);

t.test("users of other servers leave room for those of this one", async (t) => {
  const { typing } = setUp();
  for (let user = 0; user < 80; user++) typing.heard(roomNid, user, true);
  t.equal(typing.in(roomNid)?.userNids.length, 50);
  await typing.start(roomNid, 1_000);
  t.equal(typing.in(roomNid)?.userNids.length, 51);
  typing[Symbol.dispose]();
});
