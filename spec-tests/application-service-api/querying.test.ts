import t from "tap";
import { appserviceConfig, type ReceivedRequest, TestAppservice } from "../support/appservice.ts";
import { registerUser } from "../support/client.ts";
import { createRoom, moderate } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

// Application service API, "Querying" and "Pinging".

const v3 = "/_matrix/client/v3";
const bridge = await TestAppservice.start({ aliases: [{ regex: "#_bridge_.*", exclusive: true }] });
const silent = await TestAppservice.start({
  id: "silent",
  aliases: [{ regex: "#_silent_.*", exclusive: true }],
});
const deaf = await TestAppservice.start({ id: "deaf", more: { url: null } });
const server = await startServer(await appserviceConfig(t, bridge, silent, deaf));
await silent.close();
t.teardown(async () => {
  await server[Symbol.asyncDispose]();
  for (const appservice of [bridge, deaf]) await appservice.close();
});
const alice = await registerUser(server, "alice");

const profileOf = (userId: string) => `${v3}/profile/${encodeURIComponent(userId)}`;
const aliasOf = (name: string) => `${v3}/directory/room/${encodeURIComponent(`#${name}:hearth.test`)}`;
const queriesOf = (path: string) => bridge.received.filter((request) => request.path === path);

t.test("queryUserById: a user comes to be when somebody looks for them", async (t) => {
  const userId = "@_bridge_wanted:hearth.test";
  const path = `/_matrix/app/v1/users/${userId}`;
  bridge.verdict = async (request) => {
    if (request.path !== path) return undefined;
    await bridge.user(server, "_bridge_wanted");
    return { status: 200 };
  };
  const profile = await alice.get(profileOf(userId), "getUserProfile");
  t.match(
    { status: profile.status, body: profile.body },
    { status: 200, body: { displayname: "_bridge_wanted" } },
  );
  const [query] = queriesOf(path);
  t.match(query, { method: "GET", headers: { authorization: `Bearer ${bridge.hsToken}` } });
  await alice.get(profileOf(userId), "getUserProfile");
  t.equal(queriesOf(path).length, 1, "who is there is not asked for");
});

t.test("queryUserById: before an invite, so that it has the profile", async (t) => {
  const userId = "@_bridge_invited:hearth.test";
  bridge.verdict = async ({ path }) => {
    if (path !== `/_matrix/app/v1/users/${userId}`) return undefined;
    const user = await bridge.user(server, "_bridge_invited");
    await user.put(`${profileOf(userId)}/displayname`, { displayname: "Invited" });
    return { status: 200 };
  };
  const room = await createRoom(alice);
  await moderate(alice, room, "invite", userId);
  const isInvite = ({ type, state_key: key }: { type: string; state_key?: string }) =>
    type === "m.room.member" && key === userId;
  await bridge.until("the invite", () => bridge.events.some(isInvite));
  t.match(bridge.events.find(isInvite)?.content, { membership: "invite", displayname: "Invited" });
});

t.test("queryUserById: who is not there is 404, and is not asked for again and again", async (t) => {
  bridge.verdict = () => undefined;
  const userId = "@_bridge_nobody:hearth.test";
  for (let count = 0; count < 3; count++) {
    const { status, body } = await alice.get(profileOf(userId), "getUserProfile");
    t.match({ status, body }, { status: 404, body: { errcode: "M_NOT_FOUND" } });
  }
  t.equal(queriesOf(`/_matrix/app/v1/users/${userId}`).length, 1);
  await alice.get(profileOf("@somebody:hearth.test"));
  t.notOk(
    bridge.received.some(({ path }) => path.includes("somebody")),
    "only its own are asked for",
  );
  t.equal((await alice.post(`${v3}/createRoom`, { invite: [userId] }, "createRoom")).status, 200);
});

t.test("queryRoomByAlias: a room comes to be when somebody joins it", async (t) => {
  bridge.verdict = async ({ path }) => {
    if (path !== "/_matrix/app/v1/rooms/#_bridge_channel:hearth.test") return undefined;
    const body = { room_alias_name: "_bridge_channel", preset: "public_chat" };
    await bridge.as(server).post(`${v3}/createRoom`, body);
    return { status: 200 };
  };
  const joins = ["one", "two", "three"].map(async (name) => {
    const user = await registerUser(server, name);
    return user.post(`${v3}/join/${encodeURIComponent("#_bridge_channel:hearth.test")}`, {}, "joinRoom");
  });
  const rooms = await Promise.all(joins);
  t.strictSame(new Set(rooms.map(({ status }) => status)), new Set([200]));
  t.equal(new Set(rooms.map(({ body }) => body["room_id"])).size, 1);
  const resolved = await alice.get(aliasOf("_bridge_channel"), "getRoomIdByAlias");
  t.equal(resolved.body["room_id"], rooms[0]?.body["room_id"]);
  bridge.verdict = () => undefined;
  const missing = await alice.get(aliasOf("_bridge_other"), "getRoomIdByAlias");
  t.match({ status: missing.status, body: missing.body }, { status: 404, body: { errcode: "M_NOT_FOUND" } });
});

t.test("queryRoomByAlias: nobody answers: 408", async (t) => {
  const { status, body } = await alice.get(aliasOf("_silent_room"), "getRoomIdByAlias");
  t.match({ status, body }, { status: 408, body: { errcode: "M_UNKNOWN" } });
  const invited = await alice.post(`${v3}/createRoom`, { invite: ["@_silent_x:hearth.test"] }, "createRoom");
  t.equal(invited.status, 200, "who is not there yet can be invited all the same");
});

t.test("legacy routes: queries of before versions", async (t) => {
  bridge.verdict = async ({ path }) => {
    if (path !== "/users/@_bridge_old:hearth.test") return { status: 404, body: "Cannot GET" };
    await bridge.user(server, "_bridge_old");
    return { status: 200 };
  };
  t.equal((await alice.get(profileOf("@_bridge_old:hearth.test"), "getUserProfile")).status, 200);
  bridge.verdict = () => undefined;
});

const pingPath = (id: string) => `/_matrix/client/v1/appservice/${id}/ping`;

t.test("pingAppservice: the way there and back", async (t) => {
  const body = { transaction_id: "meow" };
  const { status, body: answer } = await bridge.as(server).post(pingPath("bridge"), body, "pingAppservice");
  t.match({ status, answer }, { status: 200, answer: { duration_ms: Number } });
  const isPing = ({ path }: ReceivedRequest) => path === "/_matrix/app/v1/ping";
  t.match(bridge.received.findLast(isPing), { method: "POST", body });
  const unstable = "/_matrix/client/unstable/fi.mau.msc2659/appservice/bridge/ping";
  t.equal((await bridge.as(server).post(unstable, {})).status, 200);
});

t.test("pingAppservice: what goes wrong is told", async (t) => {
  const ping = async (appservice: TestAppservice, id = appservice.id) => {
    const { status, body } = await appservice.as(server).post(pingPath(id), {}, "pingAppservice");
    return { status, body };
  };
  t.match(await ping(bridge, "silent"), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  t.match(await ping(silent), { status: 502, body: { errcode: "M_CONNECTION_FAILED" } });
  t.match(await ping(deaf), { status: 400, body: { errcode: "M_URL_NOT_SET" } });
  const refusal = { errcode: "M_FORBIDDEN" };
  bridge.verdict = () => ({ status: 403, body: refusal });
  t.match(await ping(bridge), {
    status: 502,
    body: { errcode: "M_BAD_STATUS", status: 403, body: JSON.stringify(refusal) },
  });
  bridge.verdict = () => undefined;
  const user = await alice.post(pingPath("bridge"), {}, "pingAppservice");
  t.match({ status: user.status, body: user.body }, { status: 403, body: { errcode: "M_FORBIDDEN" } });
});
