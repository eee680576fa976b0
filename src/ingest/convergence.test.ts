import t, { type Test } from "tap";
import type { RoomId, UserId } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import { roomVersion } from "../protocol/room-versions.ts";
import type { Room } from "../state/room-index.ts";
import type { LocalEvent } from "./local-event.ts";
import type { Receipt } from "./received-event.ts";
import { GraphServer } from "./testing/graph-server.ts";

const serverNames = ["one.test", "two.test", "three.test"];

/** The same sequence of numbers for the same seed. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Member {
  readonly server: GraphServer;
  readonly room: Room;
  /** What others have sent and it has not received yet. */
  readonly inbox: { from: GraphServer; eventId: string }[];
}

/** What users do to a room; the rules refuse some of it. */
function actions(user: UserId, others: readonly UserId[], pick: (below: number) => number): LocalEvent[] {
  const other = others[pick(others.length)] ?? user;
  const state = (type: string, stateKey: string, content: LocalEvent["content"]): LocalEvent => ({
    type,
    stateKey,
    sender: user,
    content,
  });
  return [
    { type: "m.room.message", sender: user, content: { body: `${pick(1e9)}` } },
    { type: "m.room.message", sender: user, content: { body: `${pick(1e9)}` } },
    state("m.room.topic", "", { topic: `${pick(1e9)}` }),
    state("m.room.member", user, { membership: "join", displayname: `${pick(1e9)}` }),
    state("m.room.member", other, { membership: pick(2) === 0 ? "ban" : "leave" }),
    state("m.room.member", user, { membership: pick(3) === 0 ? "leave" : "join" }),
    state("m.room.join_rules", "", { join_rule: pick(2) === 0 ? "public" : "invite" }),
    state("m.room.power_levels", "", { users: { [other]: 50 + pick(50) }, state_default: pick(60) }),
  ];
}

/** Hands over some of what waits, in any order; what cannot be judged yet goes back. */
async function deliver(member: Member, pick: (below: number) => number, count: number): Promise<void> {
  for (let index = 0; index < count && member.inbox.length > 0; index++) {
    const [next] = member.inbox.splice(pick(member.inbox.length), 1);
    if (!next) return;
    const sent = await next.from.sent(member.room.version, next.eventId);
    const { server, room } = member;
    const [receipt] = await server.graph.receiver.receive(room, [sent]);
    if (receipt?.verdict !== "incomplete") continue;
    if (await waitsForOthers(member, receipt)) {
      member.inbox.push(next);
      continue;
    }
    const toldStates = [await server.toldState(room, next.from, next.eventId)];
    await server.graph.receiver.receive(room, [{ ...sent, toldStates }]);
  }
}

/** Whether what an event needs is still to come: not so what was sent before the join. */
async function waitsForOthers(
  { server, inbox }: Member,
  { missingPrev = [], missingAuth = [] }: Receipt,
): Promise<boolean> {
  if (missingAuth.length > 0) return true;
  if (missingPrev.some((eventId) => inbox.some((waiting) => waiting.eventId === eventId))) return true;
  for (const eventId of missingPrev) {
    if ((await server.database.stores.events.nidOf(eventId)) === undefined) return true;
  }
  return false;
}

async function act(
  members: readonly Member[],
  member: Member,
  pick: (below: number) => number,
): Promise<void> {
  const { server, room } = member;
  const others = members.map((each) => each.server.user);
  const choices = actions(server.user, others, pick);
  const event = choices[pick(choices.length)];
  if (!event) return;
  try {
    const sent = await server.graph.writer.sendOne(room, event);
    for (const other of members) {
      if (other !== member) other.inbox.push({ from: server, eventId: sent.eventId });
    }
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
  }
}

async function meet(t: Test, versionId: string): Promise<Member[]> {
  const version = roomVersion(versionId);
  if (!version) throw new Error(`no room version ${versionId}`);
  const servers = await Promise.all(serverNames.map((name) => GraphServer.open(t, name)));
  const [first, ...rest] = servers;
  if (!first) throw new Error("a room needs a server");
  const { user } = first;
  const creator = version.creatorIsSender ? {} : { creator: user };
  const users = Object.fromEntries(
    servers.slice(version.privilegedCreators ? 1 : 0).map((server) => [server.user, 100]),
  );
  const roomId = version.roomIdIsCreateHash ? undefined : (`!room:${first.name}` as RoomId);
  const state = (type: string, stateKey: string, content: LocalEvent["content"]): LocalEvent => ({
    type,
    stateKey,
    sender: user,
    content,
  });
  const room = await first.graph.writer.create(version, roomId, [
    state("m.room.create", "", { ...creator, room_version: versionId }),
    state("m.room.member", user, { membership: "join" }),
    state("m.room.power_levels", "", { users }),
    state("m.room.join_rules", "", { join_rule: "public" }),
  ]);
  const members: Member[] = [{ server: first, room, inbox: [] }];
  for (const server of rest) {
    const joined = await server.join(room, first);
    const join = (await first.database.stores.rooms.extremities(room.roomNid))[0]?.eventId ?? "";
    for (const other of members.slice(1)) other.inbox.push({ from: first, eventId: join });
    members.push({ server, room: joined, inbox: [] });
  }
  return members;
}

for (const [versionId, seed] of [
  ["2", 1],
  ["6", 2],
  ["10", 3],
  ["11", 4],
  ["12", 5],
  ["12", 6],
] as const) {
  t.test(`version ${versionId}, seed ${seed}: servers that hear of everything agree`, async (t) => {
    const pick = randomNumbers(seed);
    const members = await meet(t, versionId);
    for (let step = 0; step < 60; step++) {
      const member = members[pick(members.length)];
      if (!member) continue;
      if (pick(3) === 0) await deliver(member, pick, 1 + pick(6));
      else await act(members, member, pick);
    }
    for (let round = 0; round < 200 && members.some(({ inbox }) => inbox.length > 0); round++) {
      for (const member of members) await deliver(member, pick, 20);
    }
    t.same(
      members.map(({ inbox }) => inbox.length),
      [0, 0, 0],
    );
    const views = await Promise.all(members.map(({ server, room }) => server.eventStates(room)));
    const [first, ...others] = views;
    t.ok((first?.size ?? 0) > 15);
    for (const view of others) {
      for (const [eventId, { isRejected, state }] of view) {
        const theirs = first?.get(eventId);
        if (theirs) t.same({ isRejected, state }, { isRejected: theirs.isRejected, state: theirs.state });
      }
    }
    // Whoever has soft-failed an event may see another state, until somebody follows the event.
    const isAlike = views.every((view) => [...view.values()].every(({ isSoftFailed }) => !isSoftFailed));
    if (isAlike) {
      const [state, ...states] = await Promise.all(members.map(({ server, room }) => server.state(room)));
      for (const other of states) t.same(other, state);
    }
    for (const { server, room } of members) await checkMemberships(t, server, room);
    await Promise.all(members.map(({ server }) => server[Symbol.asyncDispose]()));
  });
}

/** What is kept of memberships beside the state says the same as the state. */
async function checkMemberships(t: Test, server: GraphServer, room: Room): Promise<void> {
  const rows = await server.database.stores.memberships.membersOf(
    room.roomNid,
    ["join", "invite", "leave", "ban", "knock"],
    100,
  );
  const state = await server.state(room);
  const members = [...state].filter(([pair]) => pair.startsWith("m.room.member "));
  const ofState = new Set(members.map(([, eventId]) => eventId));
  const kept: string[] = [];
  for (const { eventNid, membership } of rows) {
    const { eventId } = await server.graph.events.stored(eventNid);
    // Whose member event state resolution has taken out of the state is kept as one who has left.
    if (ofState.has(eventId) || membership !== "leave") kept.push(eventId);
  }
  t.same(kept.toSorted(), [...ofState].toSorted());
}
