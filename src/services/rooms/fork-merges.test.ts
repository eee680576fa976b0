import t from "tap";
import { patienceMs, until } from "../../../spec-tests/support/within.ts";
import { GraphServer } from "../../ingest/testing/graph-server.ts";
import { eventReferences } from "../../protocol/event-builder.ts";
import { authEventTypesFor } from "../../protocol/auth/auth-event-types.ts";
import type { RoomId } from "../../protocol/identifiers.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import { rulesOfVersion } from "../../protocol/testing/room-version.ts";
import type { Room } from "../../state/room-index.ts";
import { createLogTo } from "../../telemetry/log.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { ForkMerges } from "./fork-merges.ts";

const version = rulesOfVersion("11");

async function publicRoom(server: GraphServer, sendLevel = 0): Promise<Room> {
  const { user } = server;
  const state = (type: string, content: Record<string, never> | object, stateKey = "") => ({
    type,
    stateKey,
    sender: user,
    content: content as Record<string, string>,
  });
  return server.graph.writer.create(version, "!forks:one.test" as RoomId, [
    state("m.room.create", { room_version: "11" }),
    state("m.room.member", { membership: "join" }, user),
    state("m.room.power_levels", { users: { [user]: 100 }, events_default: sendLevel }),
    state("m.room.join_rules", { join_rule: "public" }),
  ]);
}

/** Messages of a server's user that all follow one event, as if none had heard of the others. */
async function branches(
  server: GraphServer,
  room: Room,
  count: number,
  roomState: ReadonlyMap<string, string>,
  areJoins = false,
) {
  const { user: sender } = server;
  const template = areJoins
    ? { type: "m.room.member", stateKey: sender, sender, content: { membership: "join" } }
    : { type: "m.room.message", stateKey: undefined, sender, content: {} };
  const event = async (id: string | undefined): Promise<RoomEvent[]> => {
    const nid = id === undefined ? undefined : await server.database.stores.events.nidOf(id);
    return nid === undefined ? [] : [await server.graph.events.roomEvent(nid)];
  };
  const auth: RoomEvent[] = [];
  for (const [type, key] of authEventTypesFor(version, template))
    auth.push(...(await event(roomState.get(`${type} ${key}`))));
  const [end] = await server.database.stores.rooms.extremities(room.roomNid);
  const prevEvents = eventReferences(version, await event(end?.eventId));
  return Array.from({ length: count }, (_, index) =>
    server.build(version, {
      ...template,
      content: { ...template.content, body: String(index) },
      roomId: room.roomId,
      depth: 10 + index,
      prevEvents,
      authEvents: eventReferences(version, auth),
      originServerTs: index,
    }),
  );
}

async function forkedRoom(t: Parameters<typeof GraphServer.open>[0], count: number, areJoins = false) {
  const one = await GraphServer.open(t, "one.test");
  const two = await GraphServer.open(t, "two.test");
  const room = await publicRoom(one);
  const joined = await two.join(room, one);
  const clock = new ManualClock();
  const merges = new ForkMerges({
    writer: one.graph.writer,
    memberships: one.database.stores.memberships,
    names: one.names,
    clock,
    log: createLogTo(process.stderr, "fatal"),
  });
  one.graph.receiver.followForks(merges.note);
  const sent = await branches(two, joined, count, await two.state(joined), areJoins);
  const ends = async () =>
    (await one.database.stores.rooms.extremities(room.roomNid)).map(({ eventId }) => eventId);
  return {
    one,
    room,
    clock,
    merges,
    ends,
    sent,
    receive: () => one.receive(room, sent),
    async [Symbol.asyncDispose]() {
      merges[Symbol.dispose]();
      await one[Symbol.asyncDispose]();
      await two[Symbol.asyncDispose]();
    },
  };
}

t.test("branches that nobody joins are joined by events that nobody sees", async (t) => {
  await using scene = await forkedRoom(t, 45);
  const { one, room, clock, ends, receive } = scene;
  await receive();
  t.equal((await ends()).length, 45);
  const { events } = one.database.stores;
  const newest = async () =>
    (await events.placesBackwards(room.roomNid, Number.MAX_SAFE_INTEGER, 0, 1))[0]?.eventNid;
  const [shown, state] = [await newest(), await one.state(room)];
  clock.advance(4_000);
  t.equal((await ends()).length, 45, "it is waited until the flood is over");
  clock.advance(2_000);
  await until(patienceMs, "the branches to be joined", async () => (await ends()).length === 1);
  const [end] = await ends();
  const dummy = await events.byId(end ?? "");
  t.match(dummy, { position: null, flags: 0 });
  t.match(dummy?.common, /org.matrix.dummy_event/);
  t.equal(await newest(), shown, "nobody is shown anything");
  t.same(await one.state(room), state);
  const next = await one.graph.writer.sendOne(room, { type: "m.test", sender: one.user, content: {} });
  t.match(next.federation, new RegExp(`"prev_events":\\["\\${end}"\\]`));
});

t.test("more branches than a room may have: those go that make no difference to its state", async (t) => {
  await using scene = await forkedRoom(t, 80);
  const state = await scene.one.state(scene.room);
  for (const { verdict } of (await scene.receive()).values()) t.equal(verdict, "accepted");
  const newest = scene.sent.slice(-50).map(({ event: { eventId } }) => eventId);
  t.same(await scene.ends(), newest);
  t.same(await scene.one.state(scene.room), state);
});

t.test("branches whose states differ push out nothing that was there before", async (t) => {
  await using scene = await forkedRoom(t, 80, true);
  for (const { verdict } of (await scene.receive()).values()) t.equal(verdict, "accepted");
  const oldest = scene.sent.slice(0, 50).map(({ event: { eventId } }) => eventId);
  t.same(await scene.ends(), oldest);
  const { one, room } = scene;
  const known = await one.state(room);
  t.ok(oldest.some((id) => id === known.get(`m.room.member ${scene.sent[0]?.event.sender}`)));
  await one.graph.writer.sendOne(room, { type: "m.test", sender: one.user, content: {} });
  t.equal((await scene.ends()).length, 31, "an event joins them as ever");
});

t.test("a few branches are left to the next who writes", async (t) => {
  await using scene = await forkedRoom(t, 9);
  await scene.receive();
  scene.clock.advance(60_000);
  t.equal((await scene.ends()).length, 9);
  t.equal(await scene.merges.join(scene.room, 9), true, "or joined when somebody asks for it");
  t.equal((await scene.ends()).length, 1);
});

t.test("an event in a room with many branches follows the newest of them and the oldest", async (t) => {
  await using scene = await forkedRoom(t, 30);
  const { one, room, ends, receive } = scene;
  await receive();
  const before = await ends();
  const sent = await one.graph.writer.sendOne(room, { type: "m.test", sender: one.user, content: {} });
  const nid = await one.database.stores.events.nidOf(sent.eventId);
  const { prevEventIds } = await one.graph.events.roomEvent(nid ?? 0);
  t.equal(prevEventIds.length, 20);
  t.same(prevEventIds, [...before.slice(0, 10), ...before.slice(-10)]);
  t.same(await ends(), [...before.slice(10, 20), sent.eventId]);
});

t.test("where nobody of this server may send anything, it is let be", async (t) => {
  const clock = new ManualClock();
  let asked = 0;
  await using one = await GraphServer.open(t, "one.test");
  const room = await publicRoom(one, 101);
  using merges = new ForkMerges({
    writer: one.graph.writer,
    memberships: {
      localJoinedNids: async (...query: [number, number]) => {
        asked += 1;
        return one.database.stores.memberships.localJoinedNids(...query);
      },
    },
    names: one.names,
    clock,
    log: createLogTo(process.stderr, "fatal"),
  });
  merges.note(room, 50);
  clock.advance(5_000);
  await until(patienceMs, "somebody who may send to be looked for", () => asked === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  merges.note(room, 50);
  clock.advance(5_000);
  t.equal(asked, 1);
  t.equal(await merges.join(room, 50), false);
});
