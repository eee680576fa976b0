import t from "tap";
import type { Membership } from "../../storage/memberships.ts";
import type { UserRoomRow } from "../../storage/sliding-sync.ts";
import { UserRoomList } from "./user-rooms.ts";

const me = 1;
const row = (
  roomNid: number,
  membership: Membership,
  position: number,
  lastPosition: number,
): UserRoomRow => ({
  roomNid,
  roomId: `!${roomNid}:hearth.test`,
  membership,
  eventNid: roomNid,
  position,
  senderNid: me,
  lastPosition,
  facts: { name: null, roomType: null, isEncrypted: false },
});
const rows = [row(1, "join", 1, 10), row(2, "invite", 20, 90), row(3, "join", 3, 30)];
const order = ({ rooms }: UserRoomList) => rooms.map(({ roomNid }) => roomNid);

t.test("rooms are sorted by their newest event, invites by when they came", (t) => {
  const list = new UserRoomList(me, rows, 100, new Map());
  t.same(order(list), [3, 2, 1]);
  t.same(list.joined, new Set([3, 1]));
  t.end();
});

t.test("a list follows events of joined rooms", (t) => {
  const list = new UserRoomList(me, rows, 100, new Map());
  const changes = [
    { position: 101, stream: "timeline" as const, nid: 1, senderNid: 5 },
    { position: 102, stream: "timeline" as const, nid: 2 },
    { position: 103, stream: "timeline" as const, nid: 99 },
  ];
  t.equal(list.advance(changes, 103), true);
  t.same(order(list), [1, 3, 2], "what happens in a room that the user is only invited to is not for them");
  t.equal(list.upTo, 103);
  t.equal(list.version, 1);
  t.equal(list.outdated.size, 0, "messages change no facts");
  list.advance([{ position: 104, stream: "timeline", nid: 3 }], 104);
  t.same([...list.outdated], [3]);
  list.advance([{ position: 105, stream: "typing", nid: 1 }], 105);
  t.equal(list.version, 2, "nothing that lists go by");
  t.end();
});

t.test("a list is read again when the user's memberships change, and when changes are forgotten", (t) => {
  const list = new UserRoomList(me, rows, 100, new Map());
  t.equal(list.advance([{ position: 101, stream: "membership", nid: 2 }], 101), true, "somebody else's");
  t.equal(list.advance([{ position: 102, stream: "membership", nid: me }], 102), false);
  t.equal(list.advance(undefined, 103), false);
  t.end();
});

t.test("labels are taken from account data, whatever clients have written", (t) => {
  const list = new UserRoomList(me, rows, 100, new Map());
  const entry = (scope: string, type: string, content: unknown) => ({
    scope,
    type,
    content: JSON.stringify(content),
  });
  list.relabel(
    [
      entry("", "m.direct", { "@a:hearth.test": ["!1:hearth.test", 5], "@b:hearth.test": "nonsense" }),
      entry("!1:hearth.test", "m.tag", { tags: { "m.favourite": {} } }),
      entry("!3:hearth.test", "m.tag", { tags: "nonsense" }),
    ],
    100,
  );
  t.same([...list.labels.direct], ["!1:hearth.test"]);
  t.same([...(list.labels.tags.get("!1:hearth.test") ?? [])], ["m.favourite"]);
  t.same([...(list.labels.tags.get("!3:hearth.test") ?? [])], []);
  const { version } = list;
  list.relabel([entry("!1:hearth.test", "m.fully_read", {})], 110);
  t.equal(list.version, version);
  t.equal(list.labelledUpTo, 110);
  list.relabel([entry("!1:hearth.test", "m.tag", { tags: {} })], 120);
  t.same([...(list.labels.tags.get("!1:hearth.test") ?? [])], []);
  t.same([...list.labels.direct], ["!1:hearth.test"], "what has not changed stays");
  t.end();
});
