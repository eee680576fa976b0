import t from "tap";
import type { RoomId } from "../../protocol/identifiers.ts";
import { rulesOfVersion } from "../../protocol/testing/room-version.ts";
import type { Room } from "../../state/room-index.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { HistoryForRequest, noRemoteHistory, type RemoteHistory } from "./remote-history.ts";

const room: Room = { roomNid: 1, roomId: "!room:a.test" as RoomId, version: rulesOfVersion("11") };

t.test("a request waits for all gaps together no longer than for one", async (t) => {
  const clock = new ManualClock();
  const waits: number[] = [];
  const slow: RemoteHistory = {
    ...noRemoteHistory,
    fillGap: async (_room, _position, maxWaitMs) => {
      waits.push(maxWaitMs);
      clock.advance(4_000);
      return "changed";
    },
    bringEvent: async (_room, _eventId, maxWaitMs) => {
      waits.push(maxWaitMs);
      return "unavailable";
    },
  };
  const history = new HistoryForRequest(slow, clock);
  for (let gap = 1; gap <= 3; gap++) await history.fillGap(room, gap);
  await history.bringEvent(room, "$event");
  t.same(waits, [10_000, 6_000, 2_000, 0]);
});
