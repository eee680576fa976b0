import t from "tap";
import { login, passwordAuth, registerUser, type TestClient } from "../support/client.ts";
import { createRoom, type Json, sync, type SyncAnswer } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const v3 = "/_matrix/client/v3";
const unstable = "/_matrix/client/unstable/org.matrix.msc3391";
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

function path(prefix: string, { userId }: TestClient, type: string, room?: string): string {
  const place = room === undefined ? "" : `/rooms/${encodeURIComponent(room)}`;
  return `${prefix}/user/${encodeURIComponent(userId)}${place}/account_data/${type}`;
}

interface Entry {
  readonly type: string;
  readonly content: Json;
}

/** The user's own account data, but for push rules, and that of a room. */
function entriesIn(answer: SyncAnswer, roomId?: string): unknown[] {
  const holder = (roomId === undefined ? answer.body : answer.find("join", roomId)) ?? {};
  const events = (holder as { account_data?: { events: Entry[] } }).account_data?.events ?? [];
  return events.filter(({ type }) => type !== "m.push_rules").map(({ type, content }) => [type, content]);
}

t.test("deleteAccountData, deleteAccountDataPerRoom, sync: what is deleted is gone", async (t) => {
  const alice = await registerUser(server);
  const { body: versions } = await alice.get("/_matrix/client/versions", "getVersions");
  t.match(versions, { unstable_features: { "org.matrix.msc3391": true } });
  const roomId = await createRoom(alice);
  for (const place of [undefined, roomId]) {
    await alice.put(path(v3, alice, "a.b", place), { n: 1 });
    await alice.put(path(v3, alice, "a.kept", place), { n: 2 });
    const since = (await sync(alice)).nextBatch;
    for (const attempt of ["deleted", "deleted already"]) {
      const answer = await alice.delete(path(unstable, alice, "a.b", place));
      t.strictSame([answer.status, answer.body], [200, {}], attempt);
    }
    const read = await alice.get(path(v3, alice, "a.b", place));
    t.strictSame([read.status, read.body["errcode"]], [404, "M_NOT_FOUND"]);
    const told = await sync(alice, { since });
    t.strictSame(entriesIn(told, place), [["a.b", {}]], "incremental syncs tell");
    t.strictSame(entriesIn(await sync(alice), place), [["a.kept", { n: 2 }]], "initial syncs do not");
    await alice.put(path(v3, alice, "a.b", place), { n: 3 });
    t.strictSame(entriesIn(await sync(alice, { since: told.nextBatch }), place), [["a.b", { n: 3 }]]);
  }
});

t.test("setAccountData, setAccountDataPerRoom: an empty object deletes as well", async (t) => {
  const alice = await registerUser(server);
  const roomId = await createRoom(alice);
  const since = (await sync(alice)).nextBatch;
  for (const place of [undefined, roomId]) {
    await alice.put(path(v3, alice, "a.b", place), {});
    t.equal((await alice.get(path(v3, alice, "a.b", place))).status, 404);
    t.strictSame(entriesIn(await sync(alice, { since }), place), [["a.b", {}]], "clients wait for it");
    t.strictSame(entriesIn(await sync(alice), place), []);
  }
});

t.test("deleteAccountData: who ignores nobody any more sees everybody", async (t) => {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  await alice.put(path(v3, alice, "m.ignored_user_list"), { ignored_users: { [bob.userId]: {} } });
  const roomId = await createRoom(bob, { preset: "private_chat", invite: [alice.userId] });
  t.equal((await sync(alice)).find("invite", roomId), undefined);
  await alice.delete(path(unstable, alice, "m.ignored_user_list"));
  t.ok((await sync(alice)).find("invite", roomId));
});

t.test("deleteAccountData, deleteAccountDataPerRoom: what is refused", async (t) => {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  await alice.put(path(v3, alice, "a.b"), { n: 1 });
  t.match(await bob.delete(path(unstable, alice, "a.b")), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  t.strictSame((await alice.get(path(v3, alice, "a.b"))).body, { n: 1 });
  for (const managed of ["m.fully_read", "m.push_rules"]) {
    t.match(await alice.delete(path(unstable, alice, managed)), { status: 405 });
    t.match(await alice.delete(path(unstable, alice, managed, "!a:hearth.test")), { status: 405 });
  }
  t.match(await alice.delete(path(unstable, alice, "a.b", "nonsense")), {
    status: 400,
    body: { errcode: "M_INVALID_PARAM" },
  });
});

t.test("deleteDevice, logout: settings of a device's notifications go with it (MSC3890)", async (t) => {
  const alice = await registerUser(server);
  const [tablet, laptop] = [await login(server, alice), await login(server, alice)];
  const type = ({ deviceId }: TestClient, prefix = "org.matrix.msc3890") =>
    `${prefix}.local_notification_settings.${deviceId}`;
  for (const device of [alice, tablet, laptop]) {
    await device.put(path(v3, alice, type(device)), { is_silenced: true });
  }
  await tablet.put(path(v3, alice, type(tablet, "m")), { is_silenced: false });
  const since = (await sync(alice)).nextBatch;
  const auth = passwordAuth(alice);
  await alice.delete(`${v3}/devices/${tablet.deviceId}`, { auth }, "deleteDevice");
  await laptop.post(`${v3}/logout`, {}, "logout");
  const told = entriesIn(await sync(alice, { since }));
  t.equal(told.length, 3);
  for (const gone of [type(tablet, "m"), type(tablet), type(laptop)])
    t.ok(JSON.stringify(told).includes(JSON.stringify([gone, {}])), gone);
  t.strictSame(entriesIn(await sync(alice)), [[type(alice), { is_silenced: true }]]);
});
