import type { Test } from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { createRoom, redact, say, setState } from "../support/rooms.ts";
import { patienceMs, until } from "../support/within.ts";
import { bothWays, type Meeting, type Peers, titleOf } from "./peer.ts";
import { joinVia, ok, roomPath, sees, seesRoomAs, seesState, seeTheSameState } from "../support/views.ts";

/** What happens in rooms that both are in. */
export function testRooms(t: Test, { hearth, synapse }: Peers): void {
  for (const meeting of bothWays(hearth, synapse)) {
    const title = titleOf(meeting);
    t.test(`power levels count on both sides, ${title}`, (t) => powerLevels(t, meeting));
    t.test(`state that both change at once is resolved alike, ${title}`, (t) => conflicts(t, meeting));
    t.test(`an upgraded room is followed, ${title}`, (t) => upgrades(t, meeting));
    t.test(`a server ACL keeps out, and lets in again, ${title}`, (t) => accessLists(t, meeting));
    t.test(`aliases come and go, ${title}`, (t) => aliases(t, meeting));
    t.test(`the rooms of a space are listed, ${title}`, (t) => spaces(t, meeting));
    t.test(`the directory of public rooms is shown, ${title}`, (t) => directory(t, meeting));
    t.test(`threads, reactions and edits keep together, ${title}`, (t) => relations(t, meeting));
  }
}

interface Together {
  readonly alice: TestClient;
  readonly bob: TestClient;
  readonly roomId: string;
}

async function together(meeting: Meeting, room: Record<string, unknown> = {}): Promise<Together> {
  const alice = await registerUser(meeting.host);
  const bob = await registerUser(meeting.guest);
  const roomId = await createRoom(alice, room);
  await joinVia(bob, roomId, meeting.host.name);
  return { alice, bob, roomId };
}

async function setLevels(client: TestClient, roomId: string, change: Record<string, unknown>): Promise<void> {
  const path = roomPath(roomId, "state", "m.room.power_levels", "");
  const levels = ok(await client.get(path), "the power levels");
  await setState(client, roomId, "m.room.power_levels", { ...levels, ...change });
}

async function powerLevels(t: Test, meeting: Meeting): Promise<void> {
  for (const version of ["6", "11", "12"]) {
    const { alice, bob, roomId } = await together(meeting, { room_version: version });
    const topic = { topic: "Mine" };
    await t.rejects(setState(bob, roomId, "m.room.topic", topic), { message: /M_FORBIDDEN/ });
    const users = {
      ...(version === "12" ? {} : { [alice.userId]: 100 }),
      [bob.userId]: 50,
    };
    await setLevels(alice, roomId, { users });
    await seesState(bob, roomId, ["m.room.power_levels", ""], ({ users: of }) => {
      return (of as Record<string, number> | undefined)?.[bob.userId] === 50;
    });
    await setState(bob, roomId, "m.room.topic", topic);
    await seesState(alice, roomId, ["m.room.topic", ""], (content) => content["topic"] === "Mine");
    const said = await say(alice, roomId, "hear");
    await sees(bob, roomId, said);
    await redact(bob, roomId, said);
    await seesRedacted(alice, roomId, said);
    await seeTheSameState(t, roomId, alice, bob);
  }
}

async function seesRedacted(client: TestClient, roomId: string, eventId: string): Promise<void> {
  await until(patienceMs, `${client.userId} to see ${eventId} go`, async () => {
    const { content } = await sees(client, roomId, eventId);
    return Object.keys(content).length === 0;
  });
}

async function conflicts(t: Test, meeting: Meeting): Promise<void> {
  for (const version of ["1", "6", "12"]) {
    const { alice, bob, roomId } = await together(meeting, { room_version: version });
    await setLevels(alice, roomId, { events: { "m.room.topic": 0, "m.room.name": 0 } });
    await seesState(bob, roomId, ["m.room.power_levels", ""], ({ events }) => {
      return (events as Record<string, number> | undefined)?.["m.room.topic"] === 0;
    });
    const changes: Promise<string>[] = [];
    for (let round = 0; round < 5; round++) {
      changes.push(setState(alice, roomId, "m.room.topic", { topic: `Alice ${round}` }));
      changes.push(setState(bob, roomId, "m.room.topic", { topic: `Bob ${round}` }));
      changes.push(setState(bob, roomId, "m.room.name", { name: `Bob ${round}` }));
      changes.push(setState(alice, roomId, "m.room.name", { name: `Alice ${round}` }));
    }
    await Promise.all(changes);
    const ends = [await say(alice, roomId, "done"), await say(bob, roomId, "done")];
    for (const end of ends) for (const client of [alice, bob]) await sees(client, roomId, end);
    await seeTheSameState(t, roomId, alice, bob);
  }
}

async function upgrades(t: Test, meeting: Meeting): Promise<void> {
  const { alice, bob, roomId } = await together(meeting, { room_version: "9", name: "Old" });
  const body = ok(await alice.post(roomPath(roomId, "upgrade"), { new_version: "11" }), "upgrading");
  const replacement = String(body["replacement_room"]);
  await seesState(
    bob,
    roomId,
    ["m.room.tombstone", ""],
    (content) => content["replacement_room"] === replacement,
  );
  await joinVia(bob, replacement, meeting.host.name);
  await sees(alice, replacement, await say(bob, replacement, "followed"));
  const create = await seesState(bob, replacement, ["m.room.create", ""], () => true);
  t.match(create["predecessor"], { room_id: roomId });
  await seeTheSameState(t, replacement, alice, bob);
}

async function accessLists(t: Test, meeting: Meeting): Promise<void> {
  const { alice, bob, roomId } = await together(meeting);
  const [host] = meeting.guest.name.split(":");
  const open = { allow: ["*"], deny: [], allow_ip_literals: true };
  await setState(alice, roomId, "m.room.server_acl", { ...open, deny: [host] });
  await seesState(bob, roomId, ["m.room.server_acl", ""], ({ deny }) => JSON.stringify(deny) !== "[]");
  const unheard = await say(bob, roomId, "unheard");
  await setState(alice, roomId, "m.room.server_acl", open);
  await seesState(bob, roomId, ["m.room.server_acl", ""], ({ deny }) => JSON.stringify(deny) === "[]");
  const heard = await say(bob, roomId, "heard");
  t.equal((await sees(alice, roomId, heard)).event_id, heard, "who is let in again is heard");
  t.not(unheard, heard);
  const newcomer = await registerUser(meeting.guest);
  await setState(alice, roomId, "m.room.server_acl", { ...open, deny: [host] });
  const other = await createRoom(alice, {
    initial_state: [{ type: "m.room.server_acl", state_key: "", content: { ...open, deny: [host] } }],
  });
  const isRefused = { message: /M_FORBIDDEN/ };
  await t.rejects(
    joinVia(newcomer, other, meeting.host.name),
    isRefused,
    "nobody of a server kept out comes in",
  );
}

async function aliases(t: Test, meeting: Meeting): Promise<void> {
  const { alice, bob, roomId } = await together(meeting);
  const alias = encodeURIComponent(`#door-${Date.now()}:${meeting.host.name}`);
  const path = `/_matrix/client/v3/directory/room/${alias}`;
  t.equal((await bob.get(path)).status, 404);
  ok(await alice.put(path, { room_id: roomId }), "making an alias");
  const body = ok(await bob.get(path), "an alias of the other server");
  t.equal(body["room_id"], roomId);
  t.ok((body["servers"] as string[]).includes(meeting.host.name));
  ok(await alice.delete(path), "deleting an alias");
  t.equal((await bob.get(path)).status, 404);
}

async function spaces(t: Test, meeting: Meeting): Promise<void> {
  const alice = await registerUser(meeting.host);
  const bob = await registerUser(meeting.guest);
  const { name } = meeting.host;
  const space = await createRoom(alice, { name: "House", creation_content: { type: "m.space" } });
  const kitchen = await createRoom(alice, { name: "Kitchen" });
  const cellar = await createRoom(alice, { name: "Cellar", preset: "private_chat" });
  for (const child of [kitchen, cellar])
    await setState(alice, space, "m.space.child", { via: [name] }, child);
  await joinVia(bob, space, name);
  const path = `/_matrix/client/v1/rooms/${encodeURIComponent(space)}/hierarchy`;
  const rooms = ok(await bob.get(path), "the hierarchy")["rooms"] as { room_id: string; name?: string }[];
  t.same(
    rooms.map(({ name: of }) => of),
    ["House", "Kitchen"],
    "who has not been let in sees the public ones",
  );
}

async function directory(t: Test, meeting: Meeting): Promise<void> {
  const alice = await registerUser(meeting.host);
  const bob = await registerUser(meeting.guest);
  const title = `Market ${Date.now()}`;
  const roomId = await createRoom(alice, { name: title, visibility: "public", topic: "Fish" });
  const ownPath = "/_matrix/client/v3/publicRooms";
  const path = `${ownPath}?server=${meeting.host.name}`;
  type Listed = { room_id: string; topic?: string; num_joined_members: number };
  const listOf = (body: Record<string, unknown>) =>
    (body["chunk"] as Listed[]).find((room) => room.room_id === roomId);
  // Some servers list a room a moment after it was published.
  await until(20_000, "the room in its own server's directory", async () =>
    Boolean(listOf(ok(await alice.get(ownPath), "public rooms"))),
  );
  t.match(listOf(ok(await bob.get(path), "public rooms")), { topic: "Fish", num_joined_members: 1 });
  const filter = { filter: { generic_search_term: title } };
  t.ok(listOf(ok(await bob.post(path, filter), "searching public rooms")), "they can be searched");
}

async function relations(t: Test, meeting: Meeting): Promise<void> {
  const { alice, bob, roomId } = await together(meeting);
  const root = await say(alice, roomId, "root");
  await sees(bob, roomId, root);
  const send = async (client: TestClient, type: string, content: object) => {
    const path = `${roomPath(roomId, "send", type)}/t${Math.random()}`;
    return String(ok(await client.put(path, content), `sending ${type}`)["event_id"]);
  };
  const relates = (relType: string, more: object = {}) => ({
    "m.relates_to": { rel_type: relType, event_id: root, ...more },
  });
  const reply = { msgtype: "m.text", body: "reply" };
  await send(bob, "m.room.message", { ...reply, ...relates("m.thread") });
  await send(bob, "m.reaction", relates("m.annotation", { key: "👍" }));
  const edited = { msgtype: "m.text", body: "edited" };
  const edit = await send(alice, "m.room.message", {
    msgtype: "m.text",
    body: "* edited",
    "m.new_content": edited,
    ...relates("m.replace"),
  });
  await sees(bob, roomId, edit);
  const path = `/_matrix/client/v1/rooms/${encodeURIComponent(roomId)}/relations/${encodeURIComponent(root)}`;
  const types = ["m.annotation", "m.replace", "m.thread"];
  for (const client of [alice, bob]) {
    t.same(await seesRelations(client, path, types.length), types, `${client.userId} sees what relates`);
  }
  await seesRoomAs(bob, "join", roomId);
}

/** The types of what relates to an event, once as many relate to it as are waited for. */
function seesRelations(client: TestClient, path: string, count: number): Promise<string[]> {
  type Related = { content: { "m.relates_to"?: { rel_type?: string } } };
  return until(patienceMs, `${client.userId} to see ${count} relations`, async () => {
    const chunk = ok(await client.get(path), "relations")["chunk"] as Related[];
    const types = chunk.map(({ content }) => String(content["m.relates_to"]?.rel_type));
    return types.length >= count && types.toSorted((one, other) => (one < other ? -1 : 1));
  });
}
