import t from "tap";
import { nothingUnread } from "../services/notifications/room-tally.ts";
import { Pace } from "../telemetry/pace.ts";
import { systemClock } from "../telemetry/clock.ts";
import { Badges } from "./badges.ts";

/** A user in three rooms, of which each has as many unread messages as the test says. */
function setUp() {
  const unread = new Map([
    [1, 2],
    [2, 0],
    [3, 5],
  ]);
  const asked: number[] = [];
  const state = { fails: false };
  const badges = new Badges({
    unread: {
      of: async (_userNid, roomNid) => {
        asked.push(roomNid);
        if (state.fails) throw new Error("the database is busy");
        return { ...nothingUnread, notifications: unread.get(roomNid) ?? 0 };
      },
    },
    joinedRooms: async () => unread.keys(),
    position: () => 1,
    pace: new Pace(systemClock),
  });
  return { badges, unread, asked, state };
}

t.test("a badge is the sum over all rooms, and only what has changed is counted anew", async (t) => {
  const { badges, unread, asked } = setUp();
  t.equal(await badges.of(9), 7);
  t.strictSame(asked.splice(0), [1, 2, 3]);
  t.equal(await badges.of(9), 7);
  t.strictSame(asked, []);
  unread.set(3, 0);
  unread.set(2, 1);
  badges.outdate(9, 2);
  badges.committed(5, [{ position: 5, stream: "notifications", nid: 9, readRoomNid: 3 }]);
  badges.committed(6, [{ position: 6, stream: "notifications", nid: 8, readRoomNid: 1 }]);
  t.strictSame(await Promise.all([badges.of(9), badges.of(9)]), [3, 3]);
  t.strictSame(new Set(asked.splice(0)), new Set([2, 3]));
});

t.test("redactions and memberships change badges", async (t) => {
  const { badges, unread, asked } = setUp();
  await badges.of(9);
  asked.splice(0);
  unread.set(1, 1);
  badges.committed(5, [{ position: 5, stream: "timeline", nid: 1, redactedNid: 77 }]);
  badges.committed(6, [{ position: 6, stream: "timeline", nid: 2, redactedNid: 78 }]);
  t.equal(await badges.of(9), 6);
  t.strictSame(asked.splice(0), [1], "where nothing is unread nothing can be taken away");
  unread.set(4, 10);
  const joined = { roomNid: 4, joined: true };
  badges.committed(7, [{ position: 7, stream: "membership", nid: 9, membership: joined }]);
  t.equal(await badges.of(9), 16);
});

t.test("a count that fails is made anew for the next one who asks", async (t) => {
  const { badges, state } = setUp();
  state.fails = true;
  await t.rejects(badges.of(9), /busy/);
  state.fails = false;
  t.equal(await badges.of(9), 7);
});
