import t from "tap";
import type { EventId, RoomId, UserId } from "../protocol/identifiers.ts";
import { type RoomVersion, roomVersion } from "../protocol/room-versions.ts";
import type { Room } from "../state/room-index.ts";
import type { LocalEvent } from "./local-event.ts";
import { GraphServer } from "./testing/graph-server.ts";

function versionOf(id: string): RoomVersion {
  const version = roomVersion(id);
  if (!version) throw new Error(`no room version ${id}`);
  return version;
}

function createRoom(server: GraphServer, id: string, users: readonly UserId[] = []): Promise<Room> {
  const version = versionOf(id);
  const { user, name } = server;
  const levels = Object.fromEntries(users.map((other) => [other, 50]));
  const own = version.privilegedCreators ? {} : { [user]: 100 };
  const state = (type: string, content: LocalEvent["content"]): LocalEvent => ({
    type,
    stateKey: type === "m.room.member" ? user : "",
    sender: user,
    content,
  });
  return server.graph.writer.create(
    version,
    version.roomIdIsCreateHash ? undefined : (`!room${id}:${name}` as RoomId),
    [
      state("m.room.create", { ...(version.creatorIsSender ? {} : { creator: user }), room_version: id }),
      state("m.room.member", { membership: "join" }),
      state("m.room.power_levels", { users: { ...own, ...levels }, state_default: 50 }),
      state("m.room.join_rules", { join_rule: "public" }),
    ],
  );
}

const message = (sender: UserId, body: string): LocalEvent => ({
  type: "m.room.message",
  sender,
  content: { msgtype: "m.text", body },
});
const topic = (sender: UserId, text: string): LocalEvent => ({
  type: "m.room.topic",
  stateKey: "",
  sender,
  content: { topic: text },
});

t.test("a room of another server is joined, written to, and its messages arrive", async (t) => {
  for (const id of ["6", "10", "12"]) {
    await using one = await GraphServer.open(t, "one.test");
    await using two = await GraphServer.open(t, "two.test");
    const room = await createRoom(one, id);
    const before = await one.graph.writer.sendOne(room, message(one.user, "before"));
    const joined = await two.join(room, one);
    t.same(await two.state(joined), await one.state(room), `version ${id}`);
    t.equal(await two.database.stores.events.nidOf(before.eventId), undefined);

    const hello = await two.graph.writer.sendOne(joined, message(two.user, "hello"));
    const receipts = await one.receive(room, [await two.sent(room.version, hello.eventId)]);
    t.equal(receipts.get(hello.eventId as EventId)?.verdict, "accepted");
    const { events } = one.database.stores;
    const [newest] = await events.placesBackwards(room.roomNid, Number.MAX_SAFE_INTEGER, 0, 1);
    t.equal((await events.byNid(newest?.eventNid ?? 0))?.eventId, hello.eventId);
    const again = await one.receive(room, [await two.sent(room.version, hello.eventId)]);
    t.equal(again.get(hello.eventId as EventId)?.verdict, "known");
    const gaps = await two.database.stores.events.gaps(joined.roomNid);
    t.equal(gaps.length, 1, "what was said before the join is missing");
    t.equal((await two.database.stores.memberships.counts(joined.roomNid)).joined, 2);
  }
});

t.test("an event without those that it follows is not touched", async (t) => {
  await using one = await GraphServer.open(t, "one.test");
  await using two = await GraphServer.open(t, "two.test");
  const room = await createRoom(one, "11");
  const joined = await two.join(room, one);
  const first = await two.graph.writer.sendOne(joined, message(two.user, "first"));
  const second = await two.graph.writer.sendOne(joined, message(two.user, "second"));
  const [receipt] = await one.graph.receiver.receive(room, [await two.sent(room.version, second.eventId)]);
  t.match(receipt, { verdict: "incomplete", missingPrev: [first.eventId], missingAuth: [] });
  t.equal(await one.database.stores.events.nidOf(second.eventId), undefined);
});

t.test(
  "two servers that have gone separate ways agree on the state once they have heard of each other",
  async (t) => {
    for (const id of ["2", "9", "12"]) {
      await using one = await GraphServer.open(t, "one.test");
      await using two = await GraphServer.open(t, "two.test");
      const room = await createRoom(one, id, ["@user:two.test" as UserId]);
      const joined = await two.join(room, one);
      const theirs = [topic(two.user, "theirs"), message(two.user, "from two")];
      const ours = [message(one.user, "from one"), topic(one.user, "ours")];
      const sentByTwo = await two.graph.writer.send(joined, theirs);
      const sentByOne = await one.graph.writer.send(room, ours);
      const toOne = await Promise.all(sentByTwo.map(({ eventId }) => two.sent(room.version, eventId)));
      const toTwo = await Promise.all(sentByOne.map(({ eventId }) => one.sent(room.version, eventId)));
      await one.receive(room, toOne);
      await two.receive(joined, toTwo);
      t.same(await one.state(room), await two.state(joined), `version ${id}`);
      t.equal((await one.database.stores.rooms.extremities(room.roomNid)).length, 2);

      const merged = await one.graph.writer.sendOne(room, message(one.user, "merged"));
      await two.receive(joined, [await one.sent(room.version, merged.eventId)]);
      t.equal((await two.database.stores.rooms.extremities(joined.roomNid)).length, 1);
      t.same(await one.state(room), await two.state(joined));
    }
  },
);

t.test("who has been banned gets nothing in by an old place in the graph", async (t) => {
  await using one = await GraphServer.open(t, "one.test");
  await using two = await GraphServer.open(t, "two.test");
  const room = await createRoom(one, "11");
  const joined = await two.join(room, one);
  await one.graph.writer.sendOne(room, {
    type: "m.room.member",
    stateKey: two.user,
    sender: one.user,
    content: { membership: "ban" },
  });
  const late = await two.graph.writer.sendOne(joined, message(two.user, "spam"));
  const state = await two.graph.writer.sendOne(joined, {
    type: "m.room.member",
    stateKey: two.user,
    sender: two.user,
    content: { membership: "join", displayname: "Spam" },
  });
  const sent = await Promise.all([late, state].map(({ eventId }) => two.sent(room.version, eventId)));
  const receipts = await one.receive(room, sent);
  t.equal(receipts.get(late.eventId as EventId)?.verdict, "soft-failed");
  t.equal(receipts.get(state.eventId as EventId)?.verdict, "soft-failed");
  t.equal((await one.database.stores.rooms.extremities(room.roomNid)).length, 1);
  const next = await one.graph.writer.sendOne(room, message(one.user, "quiet now"));
  t.notMatch(next.federation, late.eventId);
  const banned = await one.database.stores.memberships.counts(room.roomNid);
  t.equal(banned.joined, 1);
});

t.test("what its own auth events do not allow is rejected, and so is what rests on it", async (t) => {
  await using one = await GraphServer.open(t, "one.test");
  await using two = await GraphServer.open(t, "two.test");
  const room = await createRoom(one, "11");
  const joined = await two.join(room, one);
  const sent = await two.graph.writer.sendOne(joined, message(two.user, "fine"));
  const { event, encoded } = await two.sent(room.version, sent.eventId);
  const forged = { ...event, eventId: "$forged" as EventId, type: "m.room.name", stateKey: "" };
  const receipts = await one.receive(room, [{ event: { ...forged, roomId: event.roomId }, encoded }]);
  t.match(receipts.get(forged.eventId), { verdict: "rejected", reason: /power level 50/ });
  const stored = await one.database.stores.events.byId("$forged");
  t.match(stored, { position: null, flags: 1 });
  t.equal((await one.state(room)).has("m.room.name "), false);
});

t.test(
  "a key that is too long is rejected; in rooms that may have had some, what follows is not",
  async (t) => {
    await using one = await GraphServer.open(t, "one.test");
    await using two = await GraphServer.open(t, "two.test");
    const room = await createRoom(one, "10");
    const joined = await two.join(room, one);
    const sent = await two.graph.writer.sendOne(joined, message(two.user, "fine"));
    const { event, encoded } = await two.sent(room.version, sent.eventId);
    const { roomId } = event;
    const long = { ...event, roomId, eventId: "$long" as EventId, stateKey: "💥".repeat(70) };
    const after = { ...event, roomId, eventId: "$after" as EventId, prevEventIds: [long.eventId] };
    const receipts = await one.receive(room, [
      { event: long, encoded },
      { event: after, encoded },
    ]);
    t.match(receipts.get(long.eventId), { verdict: "rejected", reason: /longer than 255 bytes/ });
    t.equal(receipts.get(after.eventId)?.verdict, "accepted");
  },
);

t.test("an invite that came before its room is known gets what it rests on with the room", async (t) => {
  await using one = await GraphServer.open(t, "one.test");
  await using two = await GraphServer.open(t, "two.test");
  const room = await createRoom(one, "11");
  const invite = await one.graph.writer.sendOne(room, {
    type: "m.room.member",
    stateKey: two.user,
    sender: one.user,
    content: { membership: "invite" },
  });
  const own = await two.graph.outliers.adopt(room.roomId, room.version);
  await two.graph.outliers.storeMembership(own, await one.sent(room.version, invite.eventId), []);
  const { events } = two.database.stores;
  const nid = (await events.nidOf(invite.eventId)) ?? 0;
  t.same(await events.authNids(nid), []);
  const joined = await two.join(room, one);
  t.equal((await events.authNids(nid)).length, 4);
  t.equal(await events.nidOf(invite.eventId), nid);
  t.ok((await events.authChain([nid])).every((authNid) => authNid > nid));
  t.same(await two.state(joined), await one.state(room));
});

t.test("a redaction takes effect on what comes after it", async (t) => {
  await using one = await GraphServer.open(t, "one.test");
  await using two = await GraphServer.open(t, "two.test");
  const room = await createRoom(one, "11");
  const secret = await one.graph.writer.sendOne(room, message(one.user, "secret"));
  const whole = await one.sent(room.version, secret.eventId);
  const joined = await two.join(room, one);
  const redaction = await one.graph.writer.sendOne(room, {
    type: "m.room.redaction",
    sender: one.user,
    content: {},
    redacts: secret.eventId as EventId,
  });
  await two.receive(joined, [await one.sent(room.version, redaction.eventId)]);
  const row = await two.database.stores.rooms.byId(room.roomId);
  const toldStates = [await two.graph.snapshots.map(row?.currentSnapshot ?? 0)];
  await two.receive(joined, [{ ...whole, toldStates }]);
  const stored = await two.database.stores.events.byId(secret.eventId);
  t.notMatch(stored?.common, "secret");
  t.equal(stored?.redactedBy, await two.database.stores.events.nidOf(redaction.eventId));
  t.same(await two.database.stores.events.waitingRedactions(secret.eventId), []);
});

t.test("a gap is filled from its newer end, until nothing is missing", async (t) => {
  await using one = await GraphServer.open(t, "one.test");
  await using two = await GraphServer.open(t, "two.test");
  const room = await createRoom(one, "11");
  for (let index = 0; index < 12; index++)
    await one.graph.writer.sendOne(room, message(one.user, `${index}`));
  await one.graph.writer.sendOne(room, topic(one.user, "old"));
  const old = await one.database.stores.events.timelineForwards(
    room.roomNid,
    0,
    Number.MAX_SAFE_INTEGER,
    100,
  );
  const joined = await two.join(room, one);
  const { events } = two.database.stores;
  const left = [...old];
  while (left.length > 0) {
    const [position] = await events.gaps(joined.roomNid);
    if (position === undefined) throw new Error("the gap is closed too early");
    const chunk = left.splice(Math.max(0, left.length - 5));
    const [oldest, ...newer] = await Promise.all(chunk.map(({ eventId }) => one.sent(room.version, eventId)));
    if (!oldest) throw new Error("the chunk is empty");
    const isFirst = oldest.event.prevEventIds.length === 0;
    const toldStates = isFirst ? [] : [await two.toldState(joined, one, oldest.event.eventId)];
    const receipts = await two.graph.receiver.fillGap(joined, position, [
      { ...oldest, toldStates },
      ...newer,
    ]);
    t.same(
      receipts.map(({ verdict }) => verdict),
      chunk.map(() => "accepted"),
    );
  }
  t.same(await events.gaps(joined.roomNid), []);
  const timeline = await events.timelineForwards(joined.roomNid, 0, Number.MAX_SAFE_INTEGER, 100);
  t.same(
    timeline.map(({ eventId }) => eventId).slice(0, -1),
    old.map(({ eventId }) => eventId),
  );
  t.same(await two.state(joined), await one.state(room));
  t.same(await two.eventStates(joined), await one.eventStates(room));
});

t.test(
  "what is missing before an event that is not shown is a gap before the next one that is",
  async (t) => {
    await using one = await GraphServer.open(t, "one.test");
    await using two = await GraphServer.open(t, "two.test");
    const room = await createRoom(one, "11");
    const joined = await two.join(room, one);
    const other = "@other:two.test" as UserId;
    const member = (sender: UserId, stateKey: UserId, membership: string): LocalEvent => ({
      type: "m.room.member",
      stateKey,
      sender,
      content: { membership },
    });
    const arrival = await two.graph.writer.sendOne(joined, member(other, other, "join"));
    await one.receive(room, [await two.sent(room.version, arrival.eventId)]);
    await one.graph.writer.sendOne(room, member(one.user, two.user, "ban"));

    const [missing, hidden, shown] = await two.graph.writer.send(joined, [
      message(other, "missing"),
      message(two.user, "spam"),
      message(other, "fine"),
    ]);
    if (!missing || !hidden || !shown) throw new Error("three events were sent");
    const toldStates = [await one.toldState(room, two, hidden.eventId)];
    const spam = { ...(await two.sent(room.version, hidden.eventId)), toldStates };
    const receipts = await one.receive(room, [spam, await two.sent(room.version, shown.eventId)]);
    t.equal(receipts.get(hidden.eventId as EventId)?.verdict, "soft-failed");
    t.equal(receipts.get(shown.eventId as EventId)?.verdict, "accepted");

    const { events } = one.database.stores;
    const { position } = (await events.byId(shown.eventId)) ?? {};
    t.same(await events.gaps(room.roomNid), [position]);
    t.same(await events.gapFollowers(room.roomNid, position ?? 0), [await events.nidOf(hidden.eventId)]);
    await one.graph.receiver.fillGap(room, position ?? 0, [await two.sent(room.version, missing.eventId)]);
    t.same(await events.gaps(room.roomNid), []);
    const timeline = await events.timelineForwards(room.roomNid, 0, Number.MAX_SAFE_INTEGER, 100);
    t.same(
      timeline.slice(-2).map(({ eventId }) => eventId),
      [missing.eventId, shown.eventId],
    );
  },
);

t.test(
  "what the policy server does not want stays hidden when the members of its room are known",
  async (t) => {
    let isPartial = false;
    await using one = await GraphServer.open(t, "one.test");
    await using two = await GraphServer.open(t, "two.test", undefined, () => isPartial);
    const room = await createRoom(one, "11");
    const joined = await two.join(room, one);
    const [join] = await two.database.stores.rooms.extremities(joined.roomNid);
    if (!join) throw new Error("there is no join");
    const joinId = join.eventId as EventId;
    await one.receive(room, [await two.sent(room.version, joinId)]);
    const sent = async (event: LocalEvent) =>
      one.sent(room.version, (await one.graph.writer.sendOne(room, event)).eventId);
    const [spam, wanted] = [await sent(message(one.user, "spam")), await sent(message(one.user, "not spam"))];
    isPartial = true;
    const receipts = await two.receive(joined, [{ ...spam, isUnwanted: true }, wanted]);
    t.equal(receipts.get(spam.event.eventId)?.verdict, "soft-failed");
    t.equal(receipts.get(wanted.event.eventId)?.verdict, "accepted");

    isPartial = false;
    const before = await two.toldState(joined, one, joinId);
    await two.graph.restatements.complete(joined, joinId, before, () => Promise.resolve(true));
    const states = await two.eventStates(joined);
    t.equal(states.get(wanted.event.eventId)?.isSoftFailed, false);
    t.equal(states.get(spam.event.eventId)?.isSoftFailed, true);
  },
);
