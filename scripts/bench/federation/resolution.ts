import { authEventTypesFor } from "../../../src/protocol/auth/auth-event-types.ts";
import { eventReferences } from "../../../src/protocol/event-builder.ts";
import type { RoomId, UserId } from "../../../src/protocol/identifiers.ts";
import type { RoomEvent } from "../../../src/protocol/pdu.ts";
import { roomVersion } from "../../../src/protocol/room-versions.ts";
import type { LocalEvent } from "../../../src/ingest/local-event.ts";
import { GraphServer } from "../../../src/ingest/testing/graph-server.ts";
import type { Room } from "../../../src/state/room-index.ts";
import { report } from "../report.ts";

const stateEvents = 50_000;
const eventsAtOnce = 50;
const version = roomVersion("11");
if (!version) throw new Error("room version 11 is needed");

type Change = Pick<LocalEvent, "type" | "stateKey" | "content">;

/** Resolves the states of two forks of a room with 50,000 state events. */
export async function benchResolution(): Promise<void> {
  const work: (() => void)[] = [];
  const teardown = (each: () => void) => work.push(each);
  {
    await using server = await GraphServer.open({ teardown }, "bench.test");
    const room = await largeRoom(server);
    // The first who asks for a long read starts a worker, which the server does once.
    await server.database.stores.events.authChain([]);
    const topic = (text: string): Change => ({
      type: "m.room.topic",
      stateKey: "",
      content: { topic: text },
    });
    const levels = (level: number): Change => ({
      type: "m.room.power_levels",
      stateKey: "",
      content: { users: { [server.user]: 100 }, events: { "m.test": level } },
    });
    const named = (displayname: string): Change => ({
      type: "m.room.member",
      stateKey: server.user,
      content: { membership: "join", displayname },
    });
    await fork(server, room, "topics", [topic("a")], [topic("b")]);
    await fork(server, room, "names, changed twice", [named("a"), named("b")], [topic("c")]);
    await fork(server, room, "power levels", [levels(10)], [levels(20), topic("d")]);
    await fork(server, room, "power levels, for the second time", [levels(30)], [levels(40)]);
  }
  for (const each of work) each();
}

async function largeRoom(server: GraphServer): Promise<Room> {
  const { writer } = server.graph;
  const { user } = server;
  const state = (type: string, content: LocalEvent["content"]): LocalEvent => ({
    type,
    stateKey: type === "m.room.member" ? user : "",
    sender: user,
    content,
  });
  const room = await writer.create(version as NonNullable<typeof version>, "!large:bench.test" as RoomId, [
    state("m.room.create", { room_version: "11" }),
    state("m.room.member", { membership: "join" }),
    state("m.room.power_levels", { users: { [user]: 100 } }),
    state("m.room.join_rules", { join_rule: "public" }),
  ]);
  const members = Array.from({ length: stateEvents }, (_, index) => `@user-${index}:bench.test` as UserId);
  // Otherwise each name would wait for a commit of its own.
  await server.names.internAll(
    members,
    members.map((stateKey) => ({ type: "m.room.member", stateKey })),
  );
  for (let start = 0; start < stateEvents; start += eventsAtOnce) {
    const joins = members.slice(start, start + eventsAtOnce).map((member) => ({
      ...state("m.room.member", { membership: "join" }),
      stateKey: member,
      sender: member,
    }));
    await writer.send(room, joins);
  }
  return room;
}

/** Sends changes, and receives others that follow what was there before; the last of them is measured. */
async function fork(
  server: GraphServer,
  room: Room,
  what: string,
  ours: readonly Change[],
  theirs: readonly Change[],
): Promise<void> {
  const { stores } = server.database;
  const [before] = await stores.rooms.extremities(room.roomNid);
  const head = await stores.rooms.byId(room.roomId);
  if (!before || !head?.currentSnapshot) throw new Error("the room has no head");
  for (const change of ours) await server.graph.writer.sendOne(room, { ...change, sender: server.user });
  const state = new Map(await server.graph.snapshots.map(head.currentSnapshot));
  let prev = await server.graph.events.roomEvent(before.eventNid);
  let [took, processorMs] = [0, 0];
  for (const change of theirs) {
    const next = await built(server, room, change, state, prev);
    const start = performance.now();
    const processor = process.cpuUsage();
    const [receipt] = await server.graph.receiver.receive(room, [next]);
    took = performance.now() - start;
    const { user, system } = process.cpuUsage(processor);
    processorMs = (user + system) / 1_000;
    if (receipt?.verdict !== "accepted") throw new Error(`${what}: ${receipt?.verdict}: ${receipt?.reason}`);
    prev = next.event;
    const stored = await stores.events.byId(next.event.eventId);
    if (stored?.pairNid) state.set(stored.pairNid, stored.eventNid);
  }
  const size = `resolution of two forks in a room of ${stateEvents} state events`;
  report(`${size} (${what}): ${took.toFixed(1)} ms, ${processorMs.toFixed(1)} ms of processor`);
  // The next fork begins with one state.
  await server.graph.writer.sendOne(room, { type: "m.merge", sender: server.user, content: {} });
}

async function built(
  server: GraphServer,
  room: Room,
  change: Change,
  state: ReadonlyMap<number, number>,
  prev: RoomEvent,
) {
  const template = { ...change, stateKey: change.stateKey, sender: server.user };
  const auth: RoomEvent[] = [];
  for (const [type, stateKey] of authEventTypesFor(room.version, template)) {
    const pairNid = await server.database.stores.names.findStatePair(type, stateKey);
    const eventNid = pairNid === undefined ? undefined : state.get(pairNid);
    if (eventNid !== undefined) auth.push(await server.graph.events.roomEvent(eventNid));
  }
  return server.build(room.version, {
    ...template,
    roomId: room.roomId,
    depth: prev.depth + 1,
    prevEvents: eventReferences(room.version, [prev]),
    authEvents: eventReferences(room.version, auth),
    originServerTs: Date.now(),
  });
}
