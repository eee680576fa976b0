import { setImmediate as turn } from "node:timers/promises";
import t from "tap";
import type { ServerName } from "../../protocol/identifiers.ts";
import type { ReceiptRow } from "../../storage/receipts.ts";
import type { StreamChange } from "../../storage/streams.ts";
import { createLogTo } from "../../telemetry/log.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { Arrivals } from "./arrivals.ts";
import { OutboundPresence } from "./outbound-presence.ts";
import { OutboundReceipts } from "./outbound-receipts.ts";
import { OutboundTyping } from "./outbound-typing.ts";

const ownName = "one.test" as ServerName;
const log = createLogTo(process.stderr, "fatal");
const roomNid = 9;
/** Users from here on are of other servers. */
const firstRemote = 100_000;

interface Sent {
  readonly servers: readonly string[];
  readonly key: string;
  readonly content: Record<string, unknown>;
}

function setUp(roomServers: readonly string[] = ["two.test", "three.test"]) {
  const clock = new ManualClock();
  const sent: Sent[] = [];
  const shared = {
    ownName,
    position: () => 100,
    clock,
    log,
    rooms: { byNid: async () => ({ roomId: "!room:one.test" }) as never },
    servers: { of: async () => roomServers },
    names: {
      userId: async (nid: number) => `@u${nid}:${nid < firstRemote ? ownName : `s${nid}.test`}`,
      localUserId: async (nid: number) => (nid < firstRemote ? `@u${nid}:${ownName}` : undefined),
      findUser: async () => undefined,
    },
    sender: {
      sendEdu: (servers: Iterable<string>, key: string, edu: { content: unknown }) =>
        void sent.push({ servers: [...servers], key, content: edu.content as Sent["content"] }),
    },
  };
  const pass = async (durationMs: number, stepMs = 1_000) => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += stepMs) {
      clock.advance(stepMs);
      await turn();
    }
  };
  return { clock, sent, shared, pass };
}

const changed = (stream: StreamChange["stream"], nid: number, position = 1): StreamChange => ({
  stream,
  nid,
  position,
});

t.test("typing: own users only, told again while it lasts, and its end", async (t) => {
  const { sent, shared, pass } = setUp();
  let userNids = [1, firstRemote];
  const typing = { in: () => ({ userNids, position: 1 }) };
  await using outbound = new OutboundTyping({ ...shared, typing });
  outbound.committed(1, [changed("typing", roomNid)]);
  await pass(1_000);
  t.strictSame(sent, [
    {
      servers: ["two.test", "three.test"],
      key: "m.typing !room:one.test @u1:one.test",
      content: { room_id: "!room:one.test", user_id: "@u1:one.test", typing: true },
    },
  ]);
  await pass(100_000);
  t.equal(sent.length, 3, "after 40 s each");
  userNids = [firstRemote];
  outbound.committed(2, [changed("typing", roomNid)]);
  await pass(100_000);
  t.equal(sent.length, 4);
  t.equal(sent.at(-1)?.content["typing"], false);
});

const receiptRow = (userNid: number, thread = ""): ReceiptRow => ({
  roomNid,
  userNid,
  kind: "m.read",
  thread,
  eventId: "$e",
  eventPosition: 1,
  ts: 5,
  position: 2,
});

/** What is stored of a server that has told others nothing. */
const neverTold = {
  roomsChangedAfter: async () => [],
  toldUpTo: async () => 0,
  saveToldUpTo: async () => undefined,
};

t.test("receipts: those of a moment together, a user once in each EDU", async (t) => {
  const { sent, shared, pass } = setUp();
  const reads: [number, number][] = [];
  const rows = [
    receiptRow(1),
    receiptRow(1, "main"),
    receiptRow(firstRemote),
    { ...receiptRow(2), kind: "m.read.private" } as const,
    ...Array.from({ length: 150 }, (_, index) => receiptRow(10 + index)),
  ];
  const store = {
    ...neverTold,
    allChangedBetween: async (_room: number, after: number, upTo: number) => {
      reads.push([after, upTo]);
      return rows;
    },
  };
  using outbound = new OutboundReceipts({ ...shared, store });
  outbound.committed(11, [changed("receipts", roomNid, 10)]);
  await turn();
  outbound.committed(21, [changed("receipts", roomNid, 20)]);
  await pass(1_000, 50);
  t.strictSame(reads, [[9, 21]]);
  const contents = sent.map(
    ({ content }) => content["!room:one.test"] as { "m.read": Record<string, unknown> },
  );
  t.strictSame(
    contents.map((content) => Object.keys(content["m.read"]).length),
    [100, 52],
  );
  t.strictSame(contents[0]?.["m.read"]["@u1:one.test"], { event_ids: ["$e"], data: { ts: 5 } });
  t.strictSame(contents[1]?.["m.read"]["@u1:one.test"], {
    event_ids: ["$e"],
    data: { ts: 5, thread_id: "main" },
  });
  t.equal(new Set(sent.map(({ key }) => key)).size, 2);
});

t.test("receipts: the more servers, the less often; nothing is read where there are none", async (t) => {
  const many = setUp(Array.from({ length: 100 }, (_, index) => `s${index}.test`));
  const store = { ...neverTold, allChangedBetween: async () => [receiptRow(1)] };
  using outbound = new OutboundReceipts({ ...many.shared, store });
  for (let position = 1; position <= 100; position++) {
    outbound.committed(position, [changed("receipts", roomNid, position)]);
    await many.pass(100, 100);
  }
  t.equal(many.sent.length, 4);
  const none = setUp([]);
  const unread = { ...neverTold, allChangedBetween: async () => Promise.reject(new Error("it is read")) };
  using silent = new OutboundReceipts({ ...none.shared, store: unread });
  silent.committed(1, [changed("receipts", roomNid)]);
  await none.pass(11_000);
  t.strictSame(none.sent, []);
});

t.test("receipts: what went untold at a stop is told after the next start", async (t) => {
  const { sent, shared, pass } = setUp();
  const reads: [number, number, number][] = [];
  const saved: number[] = [];
  const store = {
    toldUpTo: async () => 40,
    roomsChangedAfter: async (position: number) => (position === 40 ? [roomNid, 8] : []),
    saveToldUpTo: async (position: number) => void saved.push(position),
    allChangedBetween: async (room: number, after: number, upTo: number) => {
      reads.push([room, after, upTo]);
      return Array.from({ length: 10_500 }, (_, index) => receiptRow(index));
    },
  };
  using outbound = new OutboundReceipts({ ...shared, store });
  outbound.resume();
  await pass(1_000, 100);
  t.strictSame(reads, [], "a start has better things to do");
  outbound.committed(103, [changed("receipts", roomNid, 102)]);
  await pass(1_000, 100);
  t.strictSame(reads, [[roomNid, 101, 103]]);
  t.equal(sent.length, 100, "the newest ten thousand");
  await pass(2_000, 100);
  t.strictSame(reads.slice(1), [
    [roomNid, 40, 100],
    [8, 40, 100],
  ]);
  await pass(7_000);
  t.strictSame(saved, [], "what is on its way may not arrive");
  await pass(2_000);
  t.strictSame(saved, [40], "one of the rooms was still waiting");
  await pass(60_000);
  t.strictSame(saved, [40, 100]);
  t.equal(sent.length, 300);
});

t.test("receipts: after a stop at which others knew all of them, none are looked for", async (t) => {
  const { shared, pass, sent } = setUp();
  const lookups: number[] = [];
  const store = {
    ...neverTold,
    toldUpTo: async () => 100,
    roomsChangedAfter: async (position: number) => {
      lookups.push(position);
      return [];
    },
    allChangedBetween: async () => [receiptRow(1)],
  };
  using outbound = new OutboundReceipts({ ...shared, store });
  outbound.resume();
  await pass(60_000);
  t.strictSame(lookups, []);
  outbound.committed(101, [changed("receipts", roomNid, 101)]);
  await pass(60_000);
  t.equal(sent.length, 1);
});

t.test("receipts: how far others know them goes no further than what waits", async (t) => {
  const { shared, pass } = setUp();
  const saved: number[] = [];
  const store = {
    ...neverTold,
    saveToldUpTo: async (position: number) => void saved.push(position),
    allChangedBetween: async () => [receiptRow(1)],
  };
  using outbound = new OutboundReceipts({ ...shared, store });
  outbound.resume();
  await pass(3_000);
  outbound.committed(81, [changed("receipts", roomNid, 80)]);
  await pass(100, 50);
  outbound.committed(91, [changed("receipts", 8, 90)]);
  await pass(12_000, 20);
  t.strictSame(saved, [89]);
  await pass(60_000);
  t.strictSame(saved, [89, 100]);
});

function presenceSetUp(present: Set<number>, serversOf: (nid: number) => readonly string[]) {
  const base = setUp();
  const lookups: (readonly number[])[] = [];
  const presence = {
    of: async (userNid: number) =>
      ({
        userNid,
        state: present.has(userNid) ? "online" : "offline",
        statusMessage: null,
        lastActiveTs: 0,
      }) as const,
    isPresent: (userNid: number) => present.has(userNid),
    ownUsersPresent: () => present,
  };
  const store = {
    serversOfEach: async (nids: readonly number[]) => {
      lookups.push(nids);
      return nids.map(serversOf);
    },
    usersInRoom: async (_room: number, server: string) => (server === "s100001.test" ? 5 : 1),
  };
  const memberships = { localJoinedNids: async () => [1, 2, 3] };
  const arrivals = new Arrivals({ ...base.shared, presence, memberships, store });
  const outbound = new OutboundPresence({ ...base.shared, presence, store, arrivals });
  const users = ({ content }: Sent) => (content["push"] as { user_id: string }[]).map((each) => each.user_id);
  return { ...base, outbound, lookups, users };
}

t.test("presence: who shares servers is told together, at most 50 at a time", async (t) => {
  const present = new Set(Array.from({ length: 250 }, (_, index) => index));
  const { outbound, sent, lookups, pass, users } = presenceSetUp(present, (nid) =>
    nid % 2 === 0 ? ["b.test", "a.test"] : [],
  );
  const storm = [...present, firstRemote].map((nid) => changed("presence", nid));
  outbound.committed(1, storm);
  await pass(1_000);
  t.strictSame(
    lookups.map(({ length }) => length),
    [100, 100, 50],
  );
  t.strictSame(
    sent.map((each) => users(each).length),
    [50, 50, 25],
  );
  t.strictSame(sent[0]?.servers, ["b.test", "a.test"]);
  await outbound[Symbol.asyncDispose]();
});

t.test("presence: who stays is told again before others forget them, also after a restart", async (t) => {
  const present = new Set([1, 2]);
  const { outbound, sent, pass, users } = presenceSetUp(present, () => ["two.test"]);
  outbound.resume();
  await pass(2 * 60_000);
  t.strictSame(sent.map(users), [["@u1:one.test", "@u2:one.test"]]);
  await pass(23 * 60_000);
  present.delete(2);
  await pass(4 * 60_000);
  t.strictSame(sent.map(users).slice(1), [["@u1:one.test"]]);
  present.clear();
  outbound.committed(1, [changed("presence", 1)]);
  await pass(60 * 60_000);
  t.equal(sent.length, 3, "that they have gone is told once");
  await outbound[Symbol.asyncDispose]();
});

t.test("presence: servers that come into a room hear who was there before", async (t) => {
  const { outbound, sent, pass, users } = presenceSetUp(new Set([1, 3]), () => []);
  const join = (nid: number) => ({
    ...changed("membership", nid),
    membership: { roomNid, joined: true, isRemote: nid >= firstRemote },
  });
  outbound.committed(1, [join(3), join(firstRemote), join(firstRemote + 1), join(firstRemote + 2)]);
  await pass(1_000);
  t.strictSame(
    sent.map((each) => [each.servers, users(each)]),
    [[["s100000.test", "s100002.test"], ["@u1:one.test"]]],
    "neither who has just joined nor a server that was there",
  );
  await outbound[Symbol.asyncDispose]();
});
