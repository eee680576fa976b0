import { setImmediate as nextTurn } from "node:timers/promises";
import t from "tap";
import type { RoomId } from "../../protocol/identifiers.ts";
import { rulesOfVersion } from "../../protocol/testing/room-version.ts";
import type { PartialRoomRow } from "../../storage/partial-rooms.ts";
import { createLogTo } from "../../telemetry/log.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { FederationError } from "../federation-client.ts";
import { RoomCompletions, type RoomCompletionsParts } from "./room-completions.ts";

const room = { roomNid: 1, roomId: "!room:a.test" as RoomId, version: rulesOfVersion("11") };

const settled = async () => {
  for (let turn = 0; turn < 30; turn++) await nextTurn();
};

/** A room without its members, whose only server tells them when it is let. */
function scene() {
  const clock = new ManualClock();
  let row: PartialRoomRow | undefined = { roomNid: 1, joinId: "$join", servers: ["a.test"] };
  let asked = 0;
  let failure: Error = new FederationError("unreachable", "it is away");
  const parts = {
    ownName: "own.test",
    partialRooms: { of: () => row, has: () => row !== undefined, all: [row] },
    rooms: { byNid: async () => room },
    participation: { others: (servers: readonly string[]) => servers, isJoined: async () => true },
    toldStates: {
      before: () => {
        asked += 1;
        return Promise.reject(failure);
      },
    },
    restatements: { complete: () => t.fail("there is no state") },
    eventStore: { byId: async () => ({ eventNid: 1, flags: 0, stateAfter: 1 }) },
    events: { roomEvent: async () => ({ prevEventIds: [] }) },
    clock,
    log: createLogTo({ write: () => undefined }, "fatal"),
  };
  return {
    clock,
    completions: new RoomCompletions(parts as unknown as RoomCompletionsParts),
    asked: () => asked,
    fail: (error: Error) => {
      failure = error;
    },
    end: () => {
      row = undefined;
    },
  };
}

t.test("a room's servers are asked again after ever longer pauses, and once at a time", async (t) => {
  const { clock, completions, asked } = scene();
  completions.resume();
  await settled();
  t.equal(asked(), 1);
  clock.advance(4_999);
  await settled();
  t.equal(asked(), 1);
  clock.advance(1);
  await settled();
  t.equal(asked(), 2);
  completions.start(room.roomNid);
  await settled();
  t.equal(asked(), 3, "somebody has joined it anew");
  t.equal(clock.waitingTimers, 1, "which the pause need not end for any more");
  completions[Symbol.dispose]();
});

t.test("nothing is waited for once it is closed", async (t) => {
  const away = scene();
  away.completions.resume();
  await settled();
  t.equal(away.clock.waitingTimers, 1);
  away.completions[Symbol.dispose]();
  t.equal(away.clock.waitingTimers, 0);

  const faulty = scene();
  faulty.fail(new Error("the disk is full"));
  faulty.completions.resume();
  await settled();
  t.equal(faulty.clock.waitingTimers, 1, "a fault of ours is no reason to give up");
  faulty.completions[Symbol.dispose]();
  t.equal(faulty.clock.waitingTimers, 0);

  const closing = scene();
  closing.completions.resume();
  closing.completions[Symbol.dispose]();
  await settled();
  t.equal(closing.clock.waitingTimers, 0, "nor for what was under way");
});

t.test("a room that needs no members any more is not asked for again", async (t) => {
  const { clock, completions, asked, end } = scene();
  completions.resume();
  await settled();
  end();
  clock.advance(5_000);
  await settled();
  t.equal(asked(), 1);
  t.equal(clock.waitingTimers, 0);
});
