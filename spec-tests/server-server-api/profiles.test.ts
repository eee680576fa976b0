import t from "tap";
import { anonymous, passwordAuth, registerUser, type TestClient } from "../support/client.ts";
import { type PeerAnswer } from "../support/fake-peer.ts";
import { twoServersAndPeer } from "../support/federated-room.ts";
import { createRoom, type Json } from "../support/rooms.ts";
import { joinVia } from "../support/views.ts";
import { until } from "../support/within.ts";

const { alice, bob, one, two, peer } = await twoServersAndPeer(t);
const nobody = anonymous(two);

const pathOf = (userId: string, field?: string) =>
  `/_matrix/client/v3/profile/${encodeURIComponent(userId)}${field === undefined ? "" : `/${field}`}`;
const set = (user: TestClient, field: string, value: unknown) =>
  user.put(pathOf(user.userId, field), { [field]: value }, "setProfileField");
const query = (userId: string, field?: string) =>
  peer.request(
    one,
    "GET",
    `/_matrix/federation/v1/query/profile?user_id=${encodeURIComponent(userId)}${field === undefined ? "" : `&field=${field}`}`,
  );

t.test("queryProfile: servers ask for profiles, whole or field by field", async (t) => {
  await alice.delete(pathOf(alice.userId, "displayname"), undefined, "deleteProfileField");
  t.strictSame(await query(alice.userId), { status: 200, body: {} });
  t.match(await query(alice.userId, "displayname"), { status: 404, body: { errcode: "M_NOT_FOUND" } });
  await set(alice, "displayname", "Alice");
  await set(alice, "avatar_url", `mxc://${one.name}/picture`);
  await set(alice, "m.tz", "Europe/Berlin");
  await set(alice, "org.example.likes", { tea: true });
  t.strictSame((await query(alice.userId)).body, {
    displayname: "Alice",
    avatar_url: `mxc://${one.name}/picture`,
    "m.tz": "Europe/Berlin",
    "org.example.likes": { tea: true },
  });
  t.strictSame(await query(alice.userId, "displayname"), { status: 200, body: { displayname: "Alice" } });
  t.strictSame((await query(alice.userId, "m.tz")).body, { "m.tz": "Europe/Berlin" });
  t.match(await query(alice.userId, "m.none"), { status: 404, body: { errcode: "M_NOT_FOUND" } });
});

t.test("queryProfile: of this server's users only, and of those who are there", async (t) => {
  t.match(await query(`@nobody:${one.name}`), { status: 404, body: { errcode: "M_NOT_FOUND" } });
  const refused = { status: 400, body: { errcode: "M_INVALID_PARAM" } };
  t.match(await query(`@bob:${two.name}`), refused);
  t.match(await query("@user1:localhost:http"), refused);
  t.match(await query("alice"), refused);
  t.equal((await peer.request(one, "GET", "/_matrix/federation/v1/query/profile")).status, 400);
  const unsigned = await anonymous(one).get(`/_matrix/federation/v1/query/profile?user_id=${alice.userId}`);
  t.equal(unsigned.status, 401);
  const erased = await registerUser(one, "erased");
  await set(erased, "displayname", "Soon gone");
  await erased.post("/_matrix/client/v3/account/deactivate", { auth: passwordAuth(erased), erase: true });
  t.strictSame(await query(erased.userId), { status: 200, body: {} });
});

t.test("queryInfo: what is not known is not found", async (t) => {
  const answer = await peer.request(one, "GET", "/_matrix/federation/v1/query/weather?place=here");
  t.match(answer, { status: 404, body: { errcode: "M_NOT_FOUND" } });
  t.equal((await peer.request(one, "GET", "/_matrix/federation/v1/query/directory")).status, 400);
});

t.test("getUserProfile, getProfileField: of a user of another server", async (t) => {
  t.strictSame(
    (await nobody.get(pathOf(alice.userId), "getUserProfile")).body,
    (await query(alice.userId)).body,
  );
  const name = await nobody.get(pathOf(alice.userId, "displayname"), "getProfileField");
  t.strictSame(name.body, { displayname: "Alice" });
  t.strictSame((await nobody.get(pathOf(alice.userId, "m.tz"))).body, { "m.tz": "Europe/Berlin" });
  t.match(await nobody.get(pathOf(alice.userId, "m.none")), {
    status: 404,
    body: { errcode: "M_NOT_FOUND" },
  });
  t.match(await nobody.get(pathOf(`@nobody:${one.name}`)), { status: 404, body: { errcode: "M_NOT_FOUND" } });
});

/** Lets the peer answer for a user, and asks for that user's profile. */
async function ask(name: string, answer: PeerAnswer | ((uri: string) => Promise<PeerAnswer>)) {
  const userId = `@${name}:${peer.name}`;
  const start = `/_matrix/federation/v1/query/profile?user_id=${encodeURIComponent(userId)}`;
  peer.answers.set(start, typeof answer === "function" ? answer : () => answer);
  return nobody.get(pathOf(userId));
}

const asked = (name: string) =>
  peer.uris.filter((uri) => uri.includes(encodeURIComponent(`@${name}:`))).length;

t.test("getUserProfile: another server is asked once in a while, and at once for everybody", async (t) => {
  const profile = { displayname: "Penny", avatar_url: `mxc://${peer.name}/p`, "m.tz": "x" };
  const slow = async () => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return { status: 200, body: profile };
  };
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask("penny", slow)));
  for (const { status, body } of answers) t.strictSame([status, body], [200, profile]);
  t.strictSame((await nobody.get(pathOf(`@penny:${peer.name}`, "m.tz"))).body, { "m.tz": "x" });
  t.equal(asked("penny"), 1);
});

t.test("getUserProfile: what another server answers is not believed to be sense", async (t) => {
  const odd = { displayname: 7, avatar_url: "https://example.org/spy.png", "m.tz": null, "x.y": [1e3] };
  t.strictSame((await ask("odd", { status: 200, body: odd })).body, { "x.y": [1_000] });
  t.strictSame(
    (await ask("proto", { status: 200, body: JSON.parse('{"__proto__":1,"displayname":"P"}') as Json })).body[
      "displayname"
    ],
    "P",
  );
  t.match(await ask("gone", { status: 404, body: { errcode: "M_NOT_FOUND", error: "x" } }), {
    status: 404,
    body: { errcode: "M_NOT_FOUND" },
  });
  t.match(await ask("hidden", { status: 403, body: { errcode: "M_FORBIDDEN", error: "x" } }), {
    status: 403,
    body: { errcode: "M_FORBIDDEN" },
  });
  for (const status of [401, 400, 500]) {
    const answer = { status, body: { errcode: "M_UNKNOWN_TOKEN", error: "sign out!" } };
    t.match(await ask(`fault${status}`, answer), { status: 502, body: { errcode: "M_BAD_STATUS" } });
  }
  const huge = await ask("huge", { status: 200, body: { displayname: "x".repeat(100_000) } });
  t.match(huge, { status: 502, body: { errcode: "M_CONNECTION_FAILED" } });
});

t.test("getUserProfile: a server that cannot be reached is not tried again at once", async (t) => {
  const path = pathOf("@somebody:127.0.0.1:1");
  t.match(await nobody.get(path), { status: 502, body: { errcode: "M_CONNECTION_FAILED" } });
  t.match(await nobody.get(path), { status: 502, body: { errcode: "M_CONNECTION_FAILED" } });
  // The peer has given an answer that was too long.
  t.equal((await ask("after", { status: 200, body: { displayname: "A" } })).status, 502);
  t.equal(asked("after"), 0);
  t.strictSame(
    (await nobody.get(pathOf(`@penny:${peer.name}`, "m.tz"))).body,
    { "m.tz": "x" },
    "what is known is told",
  );
});

t.test(
  "inviteUser: an invite says of a user of another server what is known, and guesses nothing",
  async (t) => {
    await set(bob, "displayname", "Bob");
    const created = await alice.post("/_matrix/client/v3/createRoom", { invite: [bob.userId] }, "createRoom");
    const room = encodeURIComponent(String(created.body["room_id"]));
    const state = `/_matrix/client/v3/rooms/${room}/state/m.room.member/${encodeURIComponent(bob.userId)}`;
    t.strictSame((await alice.get(state)).body, { membership: "invite" });
  },
);

t.test("searchUserDirectory: users of other servers who share a room are found", async (t) => {
  const carol = await registerUser(two, "carol");
  const search = async () => {
    const { body } = await carol.post(
      "/_matrix/client/v3/user_directory/search",
      { search_term: "alice coo" },
      "searchUserDirectory",
    );
    return body["results"] as readonly Json[];
  };
  await set(alice, "displayname", "Alice Cooper");
  const roomId = await createRoom(alice);
  t.strictSame(await search(), []);
  await joinVia(carol, roomId, one.name);
  await until(20_000, "Alice to be found", async () => (await search()).length > 0);
  t.strictSame(await search(), [
    { user_id: alice.userId, display_name: "Alice Cooper", avatar_url: `mxc://${one.name}/picture` },
  ]);
});
