import t from "tap";
import { anonymous, registerUser, TestClient } from "../support/client.ts";
import {
  bodiesOf,
  createRoom,
  join,
  leave,
  moderate,
  read,
  say,
  setState,
  sync,
  type TestEvent,
} from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");

const visibilities = ["world_readable", "shared", "invited", "joined"] as const;

/** What a user reads of a room's messages; the status when they may not read it. */
async function seenBy(client: TestClient, roomId: string): Promise<unknown[] | number> {
  const { status, body } = await read(client, "getRoomEvents", roomId, "messages", { dir: "f", limit: 100 });
  return status === 200 ? bodiesOf(body["chunk"] as TestEvent[]) : status;
}

function roomWith(visibility: string): Promise<string> {
  const content = { history_visibility: visibility };
  return createRoom(alice, { initial_state: [{ type: "m.room.history_visibility", content }] });
}

t.test("getRoomEvents and getOneRoomEvent: what a member sees from before, by visibility", async (t) => {
  const seen = {
    world_readable: ["before", "invited", "joined", "away", "back"],
    shared: ["before", "invited", "joined", "away", "back"],
    invited: ["invited", "joined", "back"],
    joined: ["joined", "back"],
  };
  for (const visibility of visibilities) {
    const user = await registerUser(server);
    const roomId = await roomWith(visibility);
    const ids = { before: await say(alice, roomId, "before") };
    await moderate(alice, roomId, "invite", user.userId);
    await say(alice, roomId, "invited");
    await join(user, roomId);
    await say(alice, roomId, "joined");
    await leave(user, roomId);
    const away = await say(alice, roomId, "away");
    const isOpen = visibility === "world_readable";
    t.same(
      await seenBy(user, roomId),
      seen[visibility].filter((body) => body !== "back" && (isOpen || body !== "away")),
      `${visibility}, after leaving`,
    );
    await join(user, roomId);
    await say(alice, roomId, "back");
    t.same(await seenBy(user, roomId), seen[visibility], visibility);
    for (const [body, eventId] of Object.entries({ ...ids, away })) {
      const { status } = await read(user, "getOneRoomEvent", roomId, `event/${encodeURIComponent(eventId)}`);
      t.equal(status, seen[visibility].includes(body) ? 200 : 404, `${visibility}: ${body}`);
    }
  }
});

t.test("sync: the timeline of a room that is joined begins where the user may see it", async (t) => {
  for (const visibility of visibilities) {
    const user = await registerUser(server);
    const roomId = await roomWith(visibility);
    await say(alice, roomId, "before");
    await moderate(alice, roomId, "invite", user.userId);
    await say(alice, roomId, "invited");
    const since = (await sync(user)).nextBatch;
    await join(user, roomId);
    const expected = {
      world_readable: ["before", "invited"],
      shared: ["before", "invited"],
      invited: ["invited"],
      joined: [],
    };
    t.same((await sync(user, { since })).bodies(roomId), expected[visibility], visibility);
    t.same((await sync(user)).bodies(roomId), expected[visibility], `${visibility}, first sync`);
  }
});

t.test(
  "getRoomEvents: a change of visibility counts from then on, and may be seen by either rule",
  async (t) => {
    const user = await registerUser(server);
    const roomId = await roomWith("world_readable");
    await say(alice, roomId, "open");
    await setState(alice, roomId, "m.room.history_visibility", { history_visibility: "joined" });
    await say(alice, roomId, "closed");
    t.equal(await seenBy(user, roomId), 403, "what is closed now is open to members only");
    await setState(alice, roomId, "m.room.history_visibility", { history_visibility: "world_readable" });
    await say(alice, roomId, "open again");
    const { body } = await read(user, "getRoomEvents", roomId, "messages", { dir: "f", limit: 100 });
    const events = (body["chunk"] as TestEvent[]).map(
      ({ type, content }) => content["body"] ?? content["history_visibility"] ?? type,
    );
    t.same(events, ["world_readable", "open", "joined", "world_readable", "open again"]);
  },
);

t.test("strangers and guests read what is world-readable, and nothing else", async (t) => {
  const stranger = await registerUser(server);
  const { body } = await anonymous(server).post("/_matrix/client/v3/register?kind=guest", {});
  const guest = new TestClient(server, {
    userId: String(body["user_id"]),
    deviceId: String(body["device_id"]),
    accessToken: String(body["access_token"]),
  });
  const open = await roomWith("world_readable");
  const closed = await roomWith("shared");
  const eventId = await say(alice, open, "open");
  const event = encodeURIComponent(eventId);
  for (const client of [stranger, guest]) {
    t.same(await seenBy(client, open), ["open"]);
    t.equal(await seenBy(client, closed), 403);
    const statuses = async (roomId: string) => [
      // The test client takes objects only.
      (await read(client, undefined, roomId, "state")).status,
      (await read(client, "getRoomStateWithKey", roomId, "state/m.room.create")).status,
      (await read(client, "getMembersByRoom", roomId, "members")).status,
      (await read(client, "getEventContext", roomId, `context/${event}`)).status,
    ];
    t.same(await statuses(open), [200, 200, 200, 200]);
    t.same(await statuses(closed), [403, 403, 403, 403]);
    t.equal((await read(client, "getOneRoomEvent", open, `event/${event}`)).status, 200);
  }
  t.equal((await read(stranger, "getJoinedMembersByRoom", open, "joined_members")).status, 403);
});

t.test("sync: membership in unsigned is the reader's at each event", async (t) => {
  const user = await registerUser(server);
  const roomId = await createRoom(alice);
  await moderate(alice, roomId, "invite", user.userId);
  await join(user, roomId);
  await leave(user, roomId);
  await join(user, roomId);
  const room = (await sync(user, { filter: { room: { timeline: { limit: 50 } } } })).room("join", roomId);
  const own = room.timeline.events.filter(({ state_key }) => state_key === user.userId);
  t.same(
    own.map(({ unsigned }) => unsigned?.["membership"]),
    ["invite", "join", "leave", "join"],
  );
  t.equal(room.timeline.events[0]?.unsigned?.["membership"], "leave", "before they had any");
});
