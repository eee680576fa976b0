import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { postReceipt } from "../support/ephemeral.ts";
import {
  createRoom,
  join,
  type Json,
  leave,
  type Query,
  queryOf,
  redact,
  say,
  send,
  type TestEvent,
} from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");

interface Notification {
  readonly actions: unknown[];
  readonly event: TestEvent;
  readonly read: boolean;
  readonly room_id: string;
  readonly ts: number;
}

interface Page {
  readonly notifications: readonly Notification[];
  readonly next_token?: string;
}

async function list(client: TestClient, query: Query = {}): Promise<Page> {
  const answer = await client.get(`/_matrix/client/v3/notifications${queryOf(query)}`, "getNotifications");
  if (answer.status !== 200) throw new Error(`getNotifications answered ${JSON.stringify(answer.body)}`);
  return answer.body as unknown as Page;
}

const bodies = ({ notifications }: Page) => notifications.map(({ event }) => event.content["body"]);

function mention(user: TestClient, roomId: string, body: string, target: TestClient): Promise<string> {
  const mentions: Json = { user_ids: [target.userId] };
  return send(user, roomId, "m.room.message", { msgtype: "m.text", body, "m.mentions": mentions });
}

t.test("getNotifications: what notified, over all rooms, the newest first", async (t) => {
  const bob = await registerUser(server);
  const [one, two] = [await createRoom(alice, {}, bob), await createRoom(alice, {}, bob)];
  await say(alice, one, "1");
  const second = await say(alice, two, "2");
  await say(bob, one, "my own");
  await mention(alice, one, "3", bob);
  const gone = await say(alice, one, "gone");
  await redact(alice, one, gone);
  const page = await list(bob);
  t.same(bodies(page), ["3", "2", "1"]);
  t.notOk("next_token" in page);
  const [third] = page.notifications;
  t.match(third, { room_id: one, read: false, ts: Number, event: { sender: alice.userId } });
  t.ok(third?.actions.some((action) => JSON.stringify(action).includes("highlight")));
  await postReceipt(bob, two, second);
  t.equal((await list(bob)).notifications.find(({ room_id }) => room_id === two)?.read, true);
});

t.test("getNotifications: page by page, nothing twice and nothing left out", async (t) => {
  const bob = await registerUser(server);
  const rooms = [await createRoom(alice, {}, bob), await createRoom(alice, {}, bob)];
  const said: string[] = [];
  for (let index = 0; index < 9; index++) {
    await say(alice, rooms[index % 2] ?? "", `${index}`);
    said.unshift(`${index}`);
  }
  const read: unknown[] = [];
  let from: string | undefined;
  for (let pages = 0; pages < 10; pages++) {
    const page = await list(bob, { limit: 2, from });
    t.ok(page.notifications.length <= 2);
    read.push(...bodies(page));
    from = page.next_token;
    if (from === undefined) break;
  }
  t.same(read, said);
});

t.test("getNotifications: only=highlight", async (t) => {
  const bob = await registerUser(server);
  const roomId = await createRoom(alice, {}, bob);
  await mention(alice, roomId, "you", bob);
  for (let index = 0; index < 3; index++) await say(alice, roomId, `${index}`);
  t.same(bodies(await list(bob, { only: "highlight" })), ["you"]);
  t.equal(bodies(await list(bob, { only: "anything" })).length, 4);
});

t.test("getNotifications: nothing from before one joined, nor from rooms that one has left", async (t) => {
  const bob = await registerUser(server);
  const roomId = await createRoom(alice);
  await say(alice, roomId, "before");
  await join(bob, roomId);
  await say(alice, roomId, "after");
  t.same(bodies(await list(bob)), ["after"]);
  await leave(bob, roomId);
  t.same(bodies(await list(bob)), []);
});

t.test("getNotifications: bad input", async (t) => {
  for (const query of [{ from: "nonsense" }, { limit: 0 }, { limit: "many" }]) {
    const path = `/_matrix/client/v3/notifications${queryOf(query)}`;
    const answer = await alice.get(path, "getNotifications");
    t.equal(answer.status, 400);
    t.equal(answer.body["errcode"], "M_INVALID_PARAM");
  }
});
