import t from "tap";
import { login, registerUser, type TestClient } from "../support/client.ts";
import type { FakeRoom } from "../support/fake-room.ts";
import { queryOf } from "../support/rooms.ts";
import { serverAndRoomsElsewhere } from "../support/rooms-elsewhere.ts";
import { startServer } from "../support/server.ts";
import { joinVia } from "../support/views.ts";
import { patienceMs, until } from "../support/within.ts";

type Json = Record<string, unknown>;

const addresses = ["127.0.1.1", "127.0.1.2"];
const { server, fake, hosts, makeRoom } = await serverAndRoomsElsewhere(t, addresses, startServer);
const [host = "", other = ""] = hosts;
const member = `@member0:${other}`;
const lazy = queryOf({ filter: { room: { state: { lazy_load_members: true } } } }).slice(1);
let users = 0;

/** A room whose servers tell its members only when they are let. */
function heldRoom(moderators: readonly string[] = []): {
  readonly room: FakeRoom;
  readonly release: () => void;
} {
  const room = makeRoom(host, [other, host], moderators);
  const gate = Promise.withResolvers<void>();
  room.gate = gate.promise;
  return { room, release: () => gate.resolve() };
}

async function joinAsSomebody({ roomId }: FakeRoom): Promise<TestClient> {
  const client = await registerUser(server, `joiner${users++}`);
  await joinVia(client, roomId, host);
  return client;
}

/** Such a room, and somebody who has joined it; its members have been asked for. */
async function joinHeldRoom(moderators: readonly string[] = []) {
  const held = heldRoom(moderators);
  const client = await joinAsSomebody(held.room);
  await until(patienceMs, "the members to be asked for", () => held.room.asked > 0);
  return { ...held, client };
}

async function syncJoined(client: TestClient, query: string): Promise<{ rooms: Json; next: string }> {
  const { body } = await client.get(`/_matrix/client/v3/sync?timeout=0&${query}`);
  return {
    rooms: ((body["rooms"] as Json | undefined)?.["join"] ?? {}) as Json,
    next: body["next_batch"] as string,
  };
}

const inRoom = ({ roomId }: FakeRoom, rest: string) =>
  `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/${rest}`;

async function memberIds(client: TestClient, room: FakeRoom): Promise<string[]> {
  const { status, body } = await client.get(inRoom(room, "members?membership=join"));
  if (status !== 200) throw new Error(JSON.stringify(body));
  return (body["chunk"] as Json[])
    .map((event) => event["state_key"] as string)
    .toSorted((a, b) => (a < b ? -1 : 1));
}

async function say(client: TestClient, room: FakeRoom, text: string): Promise<string> {
  const { status, body } = await client.put(inRoom(room, `send/m.room.message/${text}`), {
    msgtype: "m.text",
    body: text,
  });
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body["event_id"] as string;
}

const sendFrom = (origin: string, id: string, pdus: readonly string[]) =>
  fake.request(origin, server, "PUT", `/_matrix/federation/v1/send/${id}`, {
    origin,
    origin_server_ts: Date.now(),
    pdus: pdus.map((text) => JSON.parse(text) as Json),
  });

const isShownWith = (text: string) => async (client: TestClient) =>
  JSON.stringify((await syncJoined(client, lazy)).rooms).includes(text);

t.test("sendJoinV2, makeJoin: a room is joined at once, and its members follow", async (t) => {
  const { room, release, client } = await joinHeldRoom();
  const { roomId } = room;

  t.ok(roomId in (await syncJoined(client, lazy)).rooms, "who loads members lazily sees the room");
  const eager = await syncJoined(client, "");
  t.notOk(roomId in eager.rooms, "who wants all of them does not");
  await say(client, room, "early");
  await until(patienceMs, "a message to reach the room's servers", () =>
    JSON.stringify(room.received).includes("early"),
  );

  const visit = await fake.request(
    other,
    server,
    "GET",
    `/_matrix/federation/v1/make_join/${encodeURIComponent(roomId)}/${encodeURIComponent(`@new:${other}`)}?ver=11`,
  );
  t.same([visit.status, visit.body["errcode"]], [404, "M_NOT_FOUND"], "others cannot come in by this server");
  const joinId = room.lastId;
  const state = await fake.request(
    other,
    server,
    "GET",
    `/_matrix/federation/v1/state_ids/${encodeURIComponent(roomId)}?event_id=${encodeURIComponent(joinId)}`,
  );
  t.equal(state.status, 403, "nor are they told a state that is not whole");

  const sent = room.event({ type: "m.room.message", content: { body: "from-a-member" } }, member);
  t.equal((await sendFrom(other, "a", [sent.text])).status, 200);
  await until(patienceMs, "what members say meanwhile to be shown at once", () =>
    isShownWith("from-a-member")(client),
  );
  const waiting = memberIds(client, room);
  t.equal(await Promise.race([waiting, client.get("/_matrix/client/versions").then(() => "waits")]), "waits");
  release();
  t.same(
    await waiting,
    [client.userId, `@creator:${host}`, member, `@member1:${host}`, `@member2:${other}`].toSorted((a, b) =>
      a < b ? -1 : 1,
    ),
  );
  t.ok(await isShownWith("from-a-member")(client), "and stays");
  const later = await syncJoined(client, `since=${eager.next}`);
  t.match(JSON.stringify(later.rooms[roomId]), member, "who wants all members sees the room now");
  const full = await fake.request(
    other,
    server,
    "GET",
    `/_matrix/federation/v1/state_ids/${encodeURIComponent(roomId)}?event_id=${encodeURIComponent(joinId)}`,
  );
  t.same([full.status, (full.body["pdu_ids"] as string[]).length], [200, 9]);
});

t.test("sendJoinV2: what comes early is judged anew by all members, also after a restart", async (t) => {
  const { room, release, client } = await joinHeldRoom();
  const { asked } = room;
  room.ban(member);
  const message = (body: string, sender?: string) =>
    room.event({ type: "m.room.message", content: { body } }, sender);
  const honest = message("from-the-creator");
  t.equal((await sendFrom(other, "b", [message("from-who-is-banned", member).text])).status, 200);
  t.equal((await sendFrom(host, "b", [honest.text])).status, 200);
  await until(patienceMs, "what somebody says whose ban is not known yet", () =>
    isShownWith("from-who-is-banned")(client),
  );
  await until(patienceMs, "another server's event to be shown as well", () =>
    isShownWith("from-the-creator")(client),
  );

  const redaction = room.event({ type: "m.room.redaction", content: { redacts: honest.id } });
  const forged = room.event(
    { type: "m.room.name", state_key: "", content: { name: "forged" } },
    `@member1:${host}`,
  );
  const prev_events = [redaction.id];
  const next = room.event({ type: "m.room.message", content: { body: "goes-on" }, prev_events });
  const early = [forged, message("follows"), redaction, next].map(({ text }) => text);
  t.equal((await sendFrom(host, "c", early)).status, 200);
  await until(patienceMs, "what is forbidden holds nothing up", () => isShownWith("follows")(client));
  await until(patienceMs, "nor does what has to wait", () => isShownWith("goes-on")(client));
  t.ok(await isShownWith("from-the-creator")(client), "a redaction cannot be undone, and waits");
  await server.restart();
  await until(patienceMs, "the members to be asked for again", () => room.asked > asked);
  t.ok(await isShownWith("from-who-is-banned")(client));

  release();
  await memberIds(client, room);
  const isRedacted = async () => {
    const { body } = await client.get(inRoom(room, `event/${encodeURIComponent(honest.id)}`));
    return JSON.stringify(body["content"]) === "{}";
  };
  await until(patienceMs, "the redaction takes effect", isRedacted);
  const { body } = await client.get(inRoom(room, "messages?dir=b&limit=50"));
  const shown = JSON.stringify(body["chunk"]);
  t.match(shown, "follows");
  t.match(shown, "goes-on");
  t.notMatch(shown, "from-who-is-banned", "who was banned has said nothing");
  t.notMatch(shown, "forged");
});

/** Whether the user is in the room, and what they are shown of it when they are not. */
async function isJoined(client: TestClient, { roomId }: FakeRoom): Promise<boolean> {
  const { body } = await client.get("/_matrix/client/v3/joined_rooms");
  return (body["joined_rooms"] as string[]).includes(roomId);
}

t.test("sendJoinV2: who is made to leave sees it at once; whether they had to is judged anew", async (t) => {
  const moderator = `@member0:${other}`;
  for (const isBanned of [false, true]) {
    const { room, release, client } = await joinHeldRoom([moderator]);
    const { next } = await syncJoined(client, lazy);
    if (isBanned) room.ban(moderator);
    const kick = room.event(
      { type: "m.room.member", state_key: client.userId, content: { membership: "leave" } },
      moderator,
    );
    t.equal((await sendFrom(other, `kick${isBanned}`, [kick.text])).status, 200);
    await until(patienceMs, "the user is out", async () => !(await isJoined(client, room)));
    const { body } = await client.get(`/_matrix/client/v3/sync?timeout=0&since=${next}&${lazy}`);
    t.match(JSON.stringify(body["rooms"]), kick.id, "and is told why");
    release();
    await until(
      patienceMs,
      "who is banned makes nobody leave",
      async () => (await isJoined(client, room)) === isBanned,
    );
    if (!isBanned) continue;
    t.same((await client.get(inRoom(room, `event/${encodeURIComponent(kick.id)}`))).status, 404);
    t.equal((await memberIds(client, room)).length, 4);
  }
});

t.test("sendJoinV2: what is refused for want of members is shown once they are known", async (t) => {
  const moderator = `@member0:${other}`;
  const victim = `@member1:${host}`;
  const { room, release, client } = await joinHeldRoom([moderator]);
  room.ban(moderator);
  const kick = room.event(
    { type: "m.room.member", state_key: victim, content: { membership: "leave" } },
    moderator,
  );
  const after = (id: string, body: string, sender?: string) =>
    room.event({ type: "m.room.message", content: { body }, prev_events: [id] }, sender);
  const refused = after(kick.id, "from-who-seems-kicked", victim);
  const later = after(refused.id, "after-what-is-refused");
  t.equal(
    (
      await sendFrom(
        host,
        "r",
        [kick, refused, later].map(({ text }) => text),
      )
    ).status,
    200,
  );
  await until(patienceMs, "what follows is shown at once", () =>
    isShownWith("after-what-is-refused")(client),
  );
  t.notOk(await isShownWith("from-who-seems-kicked")(client));
  release();
  await memberIds(client, room);
  t.ok(await isShownWith("from-who-seems-kicked")(client));
  t.ok(await isShownWith("after-what-is-refused")(client));
  t.notOk(await isShownWith(kick.id)(client));
});

t.test("sendJoinV2: senders' member events, and who is typing, before the members are known", async (t) => {
  const { room, release, client } = await joinHeldRoom();
  const { next } = await syncJoined(client, lazy);
  const sent = room.event({ type: "m.room.message", content: { body: "who-am-i" } }, member);
  const typing = (user_id: string, origin = other) =>
    fake.request(
      origin,
      server,
      "PUT",
      `/_matrix/federation/v1/send/${encodeURIComponent(`t${user_id}${origin}`)}`,
      {
        origin,
        origin_server_ts: Date.now(),
        pdus: [],
        edus: [{ edu_type: "m.typing", content: { room_id: room.roomId, user_id, typing: true } }],
      },
    );
  t.equal((await sendFrom(other, "l", [sent.text])).status, 200);
  const typist = `@member2:${other}`;
  await typing(typist);
  await typing(typist, host);
  await typing("@forged:elsewhere.test");
  await until(patienceMs, "the message is shown", () => isShownWith("who-am-i")(client));
  const initial = await syncJoined(client, lazy);
  const later = await syncJoined(client, `${lazy}&since=${next}`);
  for (const { rooms: shown } of [initial, later]) {
    const { state } = shown[room.roomId] as { state: { events: Json[] } };
    const memberEvents = state.events.filter(({ state_key: key }) => key === member);
    t.match(memberEvents, [{ type: "m.room.member", content: { displayname: "Member 0" } }]);
  }
  const { ephemeral } = initial.rooms[room.roomId] as { ephemeral: { events: Json[] } };
  t.match(ephemeral.events, [{ type: "m.typing", content: { user_ids: [typist] } }]);
  release();
  await memberIds(client, room);
});

t.test("sendJoinV2: changes of devices before the members are known", async (t) => {
  const { room, release, client } = await joinHeldRoom();
  const { next } = await syncJoined(client, lazy);
  const rename = (display_name: string) =>
    client.put(`/_matrix/client/v3/devices/${client.deviceId}`, { display_name });
  const heard = (displayName: string) => (to: string) =>
    room.edus.some(({ host: at, content }) => at === to && content["device_display_name"] === displayName);
  t.equal((await rename("early name")).status, 200);
  await until(patienceMs, "servers to be told that were there at the join", () =>
    [host, other].every(heard("early name")),
  );
  const edus = [`@member2:${other}`, `@stranger:${other}`].map((user_id) => ({
    edu_type: "m.device_list_update",
    content: { user_id, device_id: "DEVICE", stream_id: 1 },
  }));
  await fake.request(other, server, "PUT", "/_matrix/federation/v1/send/devices", {
    origin: other,
    origin_server_ts: Date.now(),
    pdus: [],
    edus,
  });
  const changed = async () => {
    const { body } = await client.get(`/_matrix/client/v3/sync?timeout=0&since=${next}&${lazy}`);
    return (body["device_lists"] as { changed?: string[] } | undefined)?.changed;
  };
  t.notOk((await changed())?.some((userId) => userId.includes(other)));
  room.edus.length = 0;
  release();
  await memberIds(client, room);
  const news = await until(patienceMs, "changes of devices", changed);
  const remote = news.filter((userId) => userId !== client.userId);
  t.same(remote, [`@member2:${other}`], "whose devices have changed, not whoever was there before");
  await until(patienceMs, "all servers to be told what they may have missed", () =>
    [host, other].every(heard("early name")),
  );
});

t.test("sendJoinV2: a restart in between, and another user", async (t) => {
  const { room, release, client } = await joinHeldRoom();
  const { asked } = room;
  await server.restart();
  t.notOk(room.roomId in (await syncJoined(client, "")).rooms, "it is still known that members are missing");
  await until(patienceMs, "them to be asked for again", () => room.asked > asked);
  const second = await joinAsSomebody(room);
  t.ok(room.roomId in (await syncJoined(second, lazy)).rooms);
  release();
  const members = await memberIds(second, room);
  t.equal(members.length, 6);
  t.ok(members.includes(client.userId));
  t.same(await memberIds(client, room), members);
});

t.test("sendJoinV2: who leaves again is not waited for; the room can be joined anew", async (t) => {
  const { room, release, client } = await joinHeldRoom();
  room.ban(member);
  const early = room.event({ type: "m.room.message", content: { body: "from-who-is-banned" } }, member);
  t.equal((await sendFrom(other, "e", [early.text])).status, 200);
  await until(patienceMs, "what somebody says whose ban is not known yet", () =>
    isShownWith("from-who-is-banned")(client),
  );
  t.equal((await client.post(inRoom(room, "leave"), {})).status, 200);
  await until(patienceMs, "the leave to reach the room's servers", () =>
    JSON.stringify(room.received).includes('"leave"'),
  );
  t.equal((await client.get(inRoom(room, "members"))).status, 200, "nobody waits for the members");
  release();
  const left = room.lastId;
  const again = await joinAsSomebody(room);
  const members = await memberIds(again, room);
  t.notOk(room.askedBefore.includes(left), "no server has to know what this one's users have done");
  for (const userId of [again.userId, `@creator:${host}`]) t.ok(members.includes(userId), userId);
  const { body } = await again.get(inRoom(room, "messages?dir=b&limit=50"));
  t.notMatch(
    JSON.stringify(body["chunk"]),
    "from-who-is-banned",
    "what was never judged by all members is gone",
  );
});

t.test("sendJoinV2: where one server does not tell the members, another one does", async (t) => {
  const { room, release } = heldRoom();
  release();
  room.silentHosts.add(host);
  const client = await joinAsSomebody(room);
  t.equal((await memberIds(client, room)).length, 5);
});

t.test("sendJoinV2: who turns out to be banned is no longer in the room", async (t) => {
  const { room, release, client } = await joinHeldRoom();
  await say(client, room, "unwanted");
  room.ban(client.userId);
  release();
  const isBanned = async () => {
    const { body } = await client.get("/_matrix/client/v3/joined_rooms");
    return !(body["joined_rooms"] as string[]).includes(room.roomId);
  };
  await until(patienceMs, "the user to be out", isBanned);
  const again = await login(server, client.userId);
  t.notOk(room.roomId in (await syncJoined(again, lazy)).rooms);
});
