import t from "tap";
import type { ServerName, UserId } from "../protocol/identifiers.ts";
import type { AppserviceStore } from "../storage/appservices.ts";
import type { AliasRow } from "../storage/rooms.ts";
import { Pace } from "../telemetry/pace.ts";
import { systemClock } from "../telemetry/clock.ts";
import { CoveredUsers } from "./covered-users.ts";
import { Pattern } from "./pattern/pattern.ts";
import { Appservice } from "./registration.ts";
import { RoomInterests } from "./room-interests.ts";

type Changes = Awaited<ReturnType<AppserviceStore["localMemberships"]>>;

const everybody = { pattern: new Pattern("@_bridge_"), isExclusive: true };
const appservice = new Appservice(
  {
    id: "bridge",
    url: null,
    asToken: "a",
    hsToken: "h",
    senderLocalpart: "bot",
    users: [everybody],
    aliases: [{ pattern: new Pattern("#_bridge_"), isExclusive: false }],
    rooms: [],
    isRateLimited: true,
    protocols: [],
    ephemeralKeys: [],
    wantsDeviceLists: false,
  },
  "hearth.test" as ServerName,
);

/** One room, whose memberships and aliases are what `stored` says. */
function makeInterests(stored: { changes: Changes; aliases: AliasRow[] }) {
  const reads: number[] = [];
  const users = new CoveredUsers(appservice, {
    userId: (nid) => Promise.resolve(`@_bridge_${nid}:hearth.test`),
  });
  const interests = new RoomInterests({
    appservice,
    users,
    store: {
      async localMemberships(roomNid) {
        reads.push(roomNid);
        const { changes } = stored;
        await Promise.resolve();
        return changes;
      },
    },
    rooms: { byNid: () => Promise.resolve(undefined), aliasesOf: () => Promise.resolve(stored.aliases) },
    pace: new Pace(systemClock),
  });
  return { interests, reads };
}

const joined = (userNid: number, position: number) => ({
  userNid,
  userId: `@_bridge_${userNid}:hearth.test` as UserId,
  position,
  isJoined: true,
});
const change = (userNid: number, isJoined: boolean) => [
  { position: 9, stream: "membership", nid: userNid, membership: { roomNid: 1, joined: isJoined } } as const,
];

t.test("a room is looked at once, and again when its part begins or ends", async (t) => {
  const stored = { changes: [joined(1, 5)], aliases: [] };
  const { interests, reads } = makeInterests(stored);
  t.strictSame(
    (await Promise.all([interests.of(1), interests.of(1)])).map(({ isNow }) => isNow),
    [true, true],
  );
  interests.committed(1, change(1, true));
  await interests.of(1);
  t.equal(reads.length, 1, "what changes nothing is taken in");
  stored.changes = [];
  interests.committed(1, change(1, false));
  t.equal((await interests.of(1)).isNow, false);
  t.equal(reads.length, 2);
});

t.test("what was being read while it was written is not kept", async (t) => {
  const stored: { changes: Changes; aliases: AliasRow[] } = { changes: [], aliases: [] };
  const { interests } = makeInterests(stored);
  const early = interests.of(1);
  await Promise.resolve();
  stored.changes = [joined(7, 3)];
  interests.committed(1, change(7, true));
  await early;
  t.equal((await interests.of(1)).isNow, true);
});

t.test("aliases that come and go", async (t) => {
  const stored: { changes: Changes; aliases: AliasRow[] } = { changes: [], aliases: [] };
  const { interests } = makeInterests(stored);
  t.equal((await interests.of(1)).isNow, false);
  stored.aliases = [{ alias: "#_bridge_a:hearth.test", roomNid: 1, creatorNid: 1 }];
  t.equal((await interests.of(1)).isNow, false, "nobody has said so");
  interests.forget(1);
  t.equal((await interests.of(1)).isNow, true);
});
