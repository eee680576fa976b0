import t from "tap";
import { login, registerUser } from "../support/client.ts";
import {
  bodiesOf,
  createRoom,
  join,
  leave,
  moderate,
  redact,
  say,
  send,
  setState,
  sync,
  SyncAnswer,
  type TestEvent,
} from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");

const typesOf = (events: readonly TestEvent[]) => events.map(({ type }) => type);

t.test("sync: a first sync has the room's timeline and the state before it", async (t) => {
  const user = await registerUser(server);
  const roomId = await createRoom(user, { name: "Hall" });
  for (let index = 0; index < 12; index++) await say(user, roomId, `${index}`);
  const answer = await sync(user);
  const room = answer.room("join", roomId);
  t.same(
    answer.bodies(roomId),
    ["2", "3", "4", "5", "6", "7", "8", "9", "10", "11"],
    "the default limit is 10",
  );
  t.equal(room.timeline.limited, true);
  t.ok(typesOf(room.state.events).includes("m.room.create"));
  t.equal(room.state.events.find(({ type }) => type === "m.room.name")?.content["name"], "Hall");
  t.notOk("state_after" in room);
  t.match(room.summary, { "m.joined_member_count": 1, "m.invited_member_count": 0 });
  t.match(answer.body, { device_one_time_keys_count: {}, device_unused_fallback_key_types: [] });
  t.same(room.unread_notifications, { notification_count: 0, highlight_count: 0 });
});

t.test("sync: a timeline that has the whole room needs no state", async (t) => {
  const user = await registerUser(server);
  const roomId = await createRoom(user);
  const room = (await sync(user, { filter: { room: { timeline: { limit: 50 } } } })).room("join", roomId);
  t.same(room.state.events, []);
  t.equal(room.timeline.limited, false);
  t.equal(room.timeline.events[0]?.type, "m.room.create");
});

t.test("sync: whoever comes back to a room begins its timeline anew", async (t) => {
  const [host, guest] = [await registerUser(server), await registerUser(server)];
  const roomId = await createRoom(host, { preset: "public_chat" });
  await join(guest, roomId);
  await say(host, roomId, "before");
  const { nextBatch: before } = await sync(guest);
  await leave(guest, roomId);
  const { nextBatch: away } = await sync(guest, { since: before });
  await say(host, roomId, "meanwhile");
  await join(guest, roomId);
  const back = await sync(guest, { since: away, filter: { room: { timeline: { limit: 50 } } } });
  t.equal(back.room("join", roomId).timeline.limited, true, "it does not follow what the client has");
  t.same(back.bodies(roomId), ["before", "meanwhile"]);
  await say(host, roomId, "after");
  const next = await sync(guest, { since: back.nextBatch });
  t.equal(next.room("join", roomId).timeline.limited, false);
  t.same(next.bodies(roomId), ["after"]);
});

t.test("sync: what is new comes once, to the device that sent it with its transaction ID", async (t) => {
  const user = await registerUser(server);
  const other = await login(server, user);
  const roomId = await createRoom(user);
  const since = (await sync(user)).nextBatch;
  const eventId = await send(user, roomId, "m.room.message", { body: "hi", msgtype: "m.text" }, "my-txn");
  const answer = await sync(user, { since });
  const [event] = answer.room("join", roomId).timeline.events;
  t.equal(event?.event_id, eventId);
  t.match(event?.unsigned, { transaction_id: "my-txn", membership: "join" });
  t.type(event?.unsigned?.["age"], "number");
  t.notOk(event && "room_id" in event, "the place in the answer tells the room");
  t.notOk((await sync(user, { since: answer.nextBatch })).hasRooms);
  const elsewhere = (await sync(other, { since })).room("join", roomId).timeline.events[0];
  t.equal(elsewhere?.event_id, eventId);
  t.notOk(elsewhere?.unsigned && "transaction_id" in elsewhere.unsigned);
});

t.test("sync: waits for what comes, not for what concerns others, and not longer than asked", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const elsewhere = await createRoom(bob);
  const since = (await sync(alice)).nextBatch;
  const started = performance.now();
  const waiting = sync(alice, { since, timeout: 20_000 });
  await say(bob, elsewhere, "not for alice");
  await say(bob, roomId, "for alice");
  const answer = await waiting;
  t.same(answer.bodies(roomId), ["for alice"]);
  t.ok(performance.now() - started < 5_000);
  const empty = await sync(alice, { since: answer.nextBatch, timeout: 50 });
  t.notOk(empty.hasRooms);
});

t.test("sync: a gap is told with limited, prev_batch and the state that changed in it", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const since = (await sync(alice)).nextBatch;
  await setState(alice, roomId, "m.room.topic", { topic: "in the gap" });
  for (let index = 0; index < 4; index++) await say(bob, roomId, `${index}`);
  await setState(alice, roomId, "m.room.name", { name: "in the timeline" });
  const filter = { room: { timeline: { limit: 3 } } };
  const room = (await sync(alice, { since, filter })).room("join", roomId);
  t.equal(room.timeline.limited, true);
  t.same(typesOf(room.timeline.events), ["m.room.message", "m.room.message", "m.room.name"]);
  t.same(typesOf(room.state.events), ["m.room.topic"]);
  const gap = await alice.get(
    `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&from=${room.timeline.prev_batch}&to=${since}`,
    "getRoomEvents",
  );
  t.same(bodiesOf(gap.body["chunk"] as TestEvent[]), ["1", "0"]);
  t.notOk("end" in gap.body, "the gap is closed");
});

t.test("sync: use_state_after and its unstable name give the state at the end of the timeline", async (t) => {
  const roomId = await createRoom(alice);
  const since = (await sync(alice)).nextBatch;
  await setState(alice, roomId, "m.room.topic", { topic: "new" });
  const after = (await sync(alice, { since, use_state_after: true })).room("join", roomId);
  t.same(typesOf(after.state_after?.events ?? []), ["m.room.topic"]);
  t.same(typesOf(after.timeline.events), ["m.room.topic"]);
  t.notOk("state" in after);
  const name = "org.matrix.msc4222.state_after";
  const unstable = await sync(alice, { since, "org.matrix.msc4222.use_state_after": true });
  t.match(unstable.room("join", roomId), { [name]: { events: [{ type: "m.room.topic" }] } });
  const whole = (await sync(alice, { use_state_after: true })).room("join", roomId);
  t.ok(typesOf(whole.state_after?.events ?? []).includes("m.room.topic"));
});

t.test("sync: full_state gives all state of all rooms at once", async (t) => {
  const user = await registerUser(server);
  const roomId = await createRoom(user);
  await say(user, roomId, "before");
  const since = (await sync(user)).nextBatch;
  const room = (await sync(user, { since, full_state: true, timeout: 10_000 })).room("join", roomId);
  t.same(room.timeline.events, []);
  t.ok(typesOf(room.state.events).includes("m.room.create"));
});

t.test("sync: a room that is joined anew comes with everything", async (t) => {
  const user = await registerUser(server);
  const roomId = await createRoom(alice, { name: "Joined" });
  await say(alice, roomId, "before");
  const first = await sync(user);
  await join(user, roomId);
  const answer = await sync(user, { since: first.nextBatch, filter: { room: { timeline: { limit: 1 } } } });
  const room = answer.room("join", roomId);
  t.equal(room.timeline.limited, true);
  t.ok(typesOf(room.state.events).includes("m.room.name"));
  await leave(user, roomId);
  await join(user, roomId);
  const again = (await sync(user, { since: answer.nextBatch })).room("join", roomId);
  t.ok(
    typesOf([...again.state.events, ...again.timeline.events]).includes("m.room.create"),
    "whoever has been away gets everything again",
  );
});

t.test("sync: a room that was left is told up to the leaving, and then no more", async (t) => {
  const user = await registerUser(server);
  const roomId = await createRoom(alice, {}, user);
  const since = (await sync(user)).nextBatch;
  await say(alice, roomId, "one more");
  await leave(user, roomId);
  await say(alice, roomId, "too late");
  const answer = await sync(user, { since });
  const room = answer.room("leave", roomId);
  t.same(bodiesOf(room.timeline.events), ["one more"]);
  t.match(room.timeline.events.at(-1), { state_key: user.userId, content: { membership: "leave" } });
  t.equal(answer.find("join", roomId), undefined);
  t.notOk((await sync(user, { since: answer.nextBatch })).hasRooms);
  t.notOk((await sync(user)).hasRooms, "rooms that were left have to be asked for");
  const archive = (await sync(user, { filter: { room: { include_leave: true } } })).room("leave", roomId);
  t.same(bodiesOf(archive.timeline.events), ["one more"]);
  t.ok(typesOf([...archive.state.events, ...archive.timeline.events]).includes("m.room.create"));
});

t.test("sync: whoever is kicked or banned learns of it", async (t) => {
  const user = await registerUser(server);
  for (const action of ["kick", "ban"] as const) {
    const roomId = await createRoom(alice, {}, user);
    const since = (await sync(user)).nextBatch;
    await moderate(alice, roomId, action, user.userId);
    const room = (await sync(user, { since })).room("leave", roomId);
    t.equal(room.timeline.events.at(-1)?.sender, alice.userId);
    t.ok((await sync(user)).find("leave", roomId), `a first sync tells of a ${action} too`);
  }
});

t.test("sync: an invite comes with stripped state, and goes with the answer to it", async (t) => {
  const user = await registerUser(server);
  const since = (await sync(user)).nextBatch;
  const roomId = await createRoom(alice, { preset: "private_chat", name: "Secret", invite: [user.userId] });
  const answer = await sync(user, { since, timeout: 1000 });
  const { events } = answer.room("invite", roomId).invite_state;
  t.same(
    new Set(events.flatMap((event) => Object.keys(event))),
    new Set(["content", "sender", "state_key", "type"]),
  );
  t.ok(typesOf(events).includes("m.room.create"));
  t.equal(events.find(({ type }) => type === "m.room.name")?.content["name"], "Secret");
  const members = events.filter(({ type }) => type === "m.room.member");
  t.same(new Set(members.map(({ state_key }) => state_key)), new Set([alice.userId, user.userId]));
  t.ok((await sync(user)).find("invite", roomId), "a first sync has it too");
  await leave(user, roomId);
  const declined = (await sync(user, { since: answer.nextBatch })).room("leave", roomId);
  t.same(declined.state.events, [], "nobody sees the state of a room that they were never in");
  t.match(declined.timeline.events, [{ state_key: user.userId, content: { membership: "leave" } }]);
  t.equal(declined.timeline.events.length, 1);
});

t.test("sync: a knock comes with stripped state", async (t) => {
  const user = await registerUser(server);
  const roomId = await createRoom(alice, {
    name: "Knock",
    initial_state: [{ type: "m.room.join_rules", content: { join_rule: "knock" } }],
  });
  const since = (await sync(user)).nextBatch;
  const { status } = await user.post(`/_matrix/client/v3/knock/${encodeURIComponent(roomId)}`, {});
  t.equal(status, 200);
  const { events } = (await sync(user, { since })).room("knock", roomId).knock_state;
  t.equal(events.find(({ type }) => type === "m.room.name")?.content["name"], "Knock");
  t.match(
    events.filter(({ type }) => type === "m.room.member"),
    [{ state_key: user.userId, content: { membership: "knock" } }],
  );
});

t.test("sync: a redacted event has lost its content and tells of its redaction", async (t) => {
  const user = await registerUser(server);
  for (const version of ["10", "11"]) {
    const roomId = await createRoom(user, { room_version: version });
    const eventId = await say(user, roomId, "spam");
    await sync(user);
    const redactionId = await redact(user, roomId, eventId);
    const { events } = (await sync(user)).room("join", roomId).timeline;
    const target = events.find(({ event_id }) => event_id === eventId);
    t.same(target?.content, {});
    t.match(target?.unsigned?.["redacted_because"], {
      event_id: redactionId,
      type: "m.room.redaction",
      redacts: eventId,
      content: { reason: "spam", redacts: eventId },
    });
    const redaction = events.find(({ event_id }) => event_id === redactionId);
    t.match(redaction, { redacts: eventId, content: { redacts: eventId } }, `version ${version}`);
  }
});

t.test("sync: a redacted state event changes the state that later first syncs get", async (t) => {
  const user = await registerUser(server);
  const roomId = await createRoom(user);
  const eventId = await setState(user, roomId, "m.room.topic", { topic: "to be redacted" });
  for (let index = 0; index < 11; index++) await say(user, roomId, `${index}`);
  const topic = async () =>
    (await sync(user)).room("join", roomId).state.events.find(({ type }) => type === "m.room.topic");
  t.same((await topic())?.content, { topic: "to be redacted" });
  await redact(user, roomId, eventId);
  t.same((await topic())?.content, {});
  t.match((await topic())?.unsigned, { redacted_because: { type: "m.room.redaction" } });
});

t.test("sync: state events in the timeline tell what they replaced", async (t) => {
  const roomId = await createRoom(alice);
  const first = await setState(alice, roomId, "m.room.topic", { topic: "old" });
  const since = (await sync(alice)).nextBatch;
  await setState(alice, roomId, "m.room.topic", { topic: "new" });
  const [event] = (await sync(alice, { since })).room("join", roomId).timeline.events;
  t.match(event?.unsigned, {
    replaces_state: first,
    prev_content: { topic: "old" },
    prev_sender: alice.userId,
  });
});

t.test("sync: filters choose rooms, types, senders, fields and format", async (t) => {
  const user = await registerUser(server);
  const roomId = await createRoom(user, {}, bob);
  const otherId = await createRoom(user);
  await say(bob, roomId, "from bob");
  await setState(user, roomId, "m.room.topic", { topic: "topic" });
  await say(user, roomId, "from user");
  const timeline = async (filter: object) =>
    (await sync(user, { filter: { room: filter } })).find("join", roomId)?.timeline.events ?? [];
  t.equal((await sync(user, { filter: { room: { rooms: [otherId] } } })).find("join", roomId), undefined);
  t.same(await timeline({ timeline: { not_rooms: [roomId] } }), []);
  t.same(bodiesOf(await timeline({ timeline: { types: ["m.room.mess*"] } })), ["from bob", "from user"]);
  t.same(bodiesOf(await timeline({ timeline: { senders: [bob.userId] } })), ["from bob"]);
  t.same(typesOf(await timeline({ timeline: { not_types: ["m.room.m*"], limit: 1 } })), ["m.room.topic"]);
  const fields = { event_fields: ["type", "content.body"], room: { timeline: { limit: 1 } } };
  // Events without their IDs are not what the description of sync has.
  const few = await user.get(`/_matrix/client/v3/sync?filter=${encodeURIComponent(JSON.stringify(fields))}`);
  t.same(new SyncAnswer(few.body).room("join", roomId).timeline.events, [
    { type: "m.room.message", content: { body: "from user" } },
  ]);
  const raw = await sync(user, { filter: { event_format: "federation", room: { timeline: { limit: 1 } } } });
  t.match(raw.room("join", roomId).timeline.events[0], { depth: Number, hashes: { sha256: String } });
  const types = { state: { types: ["m.room.create"] }, timeline: { limit: 1 } };
  const filtered = (await sync(user, { filter: { room: types } })).room("join", roomId);
  t.same(typesOf(filtered.state.events), ["m.room.create"]);
});

t.test("sync: state that a filter keeps out of the timeline is in the state", async (t) => {
  const roomId = await createRoom(alice);
  const since = (await sync(alice)).nextBatch;
  await setState(alice, roomId, "m.room.topic", { topic: "hidden from the timeline" });
  await say(alice, roomId, "hello");
  const filter = { room: { timeline: { types: ["m.room.message"] } } };
  const room = (await sync(alice, { since, filter })).room("join", roomId);
  t.same(typesOf(room.timeline.events), ["m.room.message"]);
  t.same(typesOf(room.state.events), ["m.room.topic"]);
});

t.test("sync: ignored users' messages and invites do not come, their state does", async (t) => {
  const user = await registerUser(server);
  const roomId = await createRoom(user, {}, bob);
  const list = (userIds: readonly string[]) =>
    user.put(`/_matrix/client/v3/user/${user.userId}/account_data/m.ignored_user_list`, {
      ignored_users: Object.fromEntries(userIds.map((userId) => [userId, {}])),
    });
  await list([bob.userId]);
  const since = (await sync(user)).nextBatch;
  await say(bob, roomId, "ignored");
  await setState(bob, roomId, "m.room.member", { membership: "join", displayname: "Robert" }, bob.userId);
  const inviteId = await createRoom(bob, { invite: [user.userId] });
  const answer = await sync(user, { since });
  t.same(answer.bodies(roomId), []);
  t.match(answer.room("join", roomId).timeline.events, [{ content: { displayname: "Robert" } }]);
  t.equal(answer.find("invite", inviteId), undefined);
  await list([]);
  await say(bob, roomId, "heard again");
  t.same((await sync(user, { since: answer.nextBatch })).bodies(roomId), ["heard again"]);
});

t.test("sync: heroes and counts sum up a room without a name", async (t) => {
  const user = await registerUser(server);
  const roomId = await createRoom(user, { invite: [alice.userId] }, bob);
  const first = await sync(user);
  t.match(first.room("join", roomId).summary, {
    "m.joined_member_count": 2,
    "m.invited_member_count": 1,
  });
  t.same(
    new Set(first.room("join", roomId).summary?.["m.heroes"] as string[]),
    new Set([alice.userId, bob.userId]),
  );
  await say(user, roomId, "changes nothing");
  const unchanged = await sync(user, { since: first.nextBatch });
  t.equal(unchanged.room("join", roomId).summary, undefined);
  await leave(bob, roomId);
  await moderate(user, roomId, "kick", alice.userId);
  const alone = (await sync(user, { since: unchanged.nextBatch })).room("join", roomId).summary;
  t.match(alone, { "m.joined_member_count": 1, "m.invited_member_count": 0 });
  t.equal((alone?.["m.heroes"] as string[] | undefined)?.length, 2, "those who are gone name the room");
});

t.test("sync: a room that was forgotten is told as left once, and never again", async (t) => {
  const user = await registerUser(server);
  const roomId = await createRoom(alice, {}, user);
  const since = (await sync(user)).nextBatch;
  await leave(user, roomId);
  await user.post(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/forget`, {});
  t.ok((await sync(user, { since })).find("leave", roomId), "other devices have to learn that it is left");
  t.notOk((await sync(user, { filter: { room: { include_leave: true } } })).hasRooms);
});

t.test("sync: a device that is logged out does not go on waiting", async (t) => {
  const user = await registerUser(server);
  const since = (await sync(user)).nextBatch;
  const waiting = user.get(`/_matrix/client/v3/sync?since=${since}&timeout=20000`, "sync");
  // The wait has to have begun before the log-out can end it.
  await sync(user, { since });
  await user.post("/_matrix/client/v3/logout", {});
  const { status, body } = await waiting;
  t.equal(status, 401);
  t.equal(body["errcode"], "M_UNKNOWN_TOKEN");
});

t.test("sync: bad input is refused by name", async (t) => {
  const refused = async (query: string, errcode: string) => {
    const { status, body } = await alice.get(`/_matrix/client/v3/sync?${query}`, "sync");
    t.equal(status, 400, query);
    t.equal(body["errcode"], errcode, query);
  };
  await refused("since=nonsense", "M_INVALID_PARAM");
  await refused("timeout=soon", "M_INVALID_PARAM");
  await refused("timeout=-1", "M_INVALID_PARAM");
  await refused("full_state=1", "M_INVALID_PARAM");
  await refused("set_presence=asleep", "M_INVALID_PARAM");
  await refused("filter=no-such-filter", "M_INVALID_PARAM");
  await refused(`filter=${encodeURIComponent("{")}`, "M_NOT_JSON");
  await refused(`filter=${encodeURIComponent('{"room":7}')}`, "M_BAD_JSON");
});
