import t, { type Test } from "tap";
import type { RoomId, ServerName, UserId } from "../../protocol/identifiers.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import { rulesOfVersion } from "../../protocol/testing/room-version.ts";
import type { Room } from "../../state/room-index.ts";
import { createLogTo } from "../../telemetry/log.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { FederationError } from "../federation-client.ts";
import { HeardServers } from "../heard-servers.ts";
import { GapFilling } from "./gap-filling.ts";
import { HistoryServers } from "./history-servers.ts";

const room: Room = { roomNid: 1, roomId: "!room:a.test" as RoomId, version: rulesOfVersion("11") };
const position = 100;
const dead = "dead.test" as ServerName;
const useless = "useless.test" as ServerName;

/** A room with a gap that none of its servers helps with. */
function scene(t: Test, inRoom: readonly ServerName[]) {
  const asked: string[] = [];
  const heard = new HeardServers();
  const clock = new ManualClock();
  const log = createLogTo(process.stderr, "fatal");
  const participation = {
    isJoined: async () => true,
    serversOf: async () => inRoom,
    others: (names: readonly ServerName[]) => [...new Set(names)],
    admits: async () => true,
  };
  const follower = { prevEventIds: ["$missing"], sender: `@bob:${inRoom.at(-1)}` as UserId };
  const gaps = new GapFilling({
    eventStore: {
      gaps: async () => [position],
      gapFollowers: async () => [1],
      placesBackwards: async () => [],
    },
    events: { roomEvents: async () => [follower as unknown as RoomEvent] },
    receiver: { fillGap: () => t.fail("nothing came"), closeGap: () => t.fail("it is not closed") } as never,
    requests: {
      backfill: async (server) => {
        asked.push(server);
        if (server === dead) throw new FederationError("unreachable", "no connection");
        return [];
      },
    },
    servers: new HistoryServers(participation, clock, heard, log),
    history: { placed: async () => new Set(), complete: async () => [] },
    clock,
    log,
  });
  const fillIn = (where: Room) => gaps.fill(where, position, 10_000);
  const askedBy = async () => {
    asked.length = 0;
    t.equal(await fillIn(room), "unavailable");
    return [...asked];
  };
  return { heard, askedBy };
}

t.test("a server that could not be reached is asked again as soon as it has been heard of", async (t) => {
  const { heard, askedBy } = scene(t, [useless, dead]);
  t.same(await askedBy(), [dead, useless], "the server of who follows the gap first");
  t.same(await askedBy(), [], "nobody is asked for a while");
  heard.tell("other.test" as ServerName);
  t.same(await askedBy(), []);
  heard.tell(dead);
  t.same(await askedBy(), [dead, useless]);
  t.same(await askedBy(), [], "and is left alone again");
});

t.test(
  "a server that has been reached and has nothing is not asked again because it is heard of",
  async (t) => {
    const { heard, askedBy } = scene(t, [useless]);
    t.same(await askedBy(), [useless]);
    heard.tell(useless);
    t.same(await askedBy(), []);
  },
);
