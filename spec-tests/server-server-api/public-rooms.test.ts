import t from "tap";
import { anonymous } from "../support/client.ts";
import { FakePeer } from "../support/fake-peer.ts";
import { twoServersAndPeer } from "../support/federated-room.ts";
import { startFederatedServers } from "../support/federated-servers.ts";
import { assertMatchesSpec } from "../support/openapi.ts";
import { createRoom, type Json, type Query, queryOf, setState } from "../support/rooms.ts";

const {
  alice,
  bob,
  one: here,
  two: there,
  peer,
} = await twoServersAndPeer(t, { federation: { share_room_directory: true } });
const path = "/_matrix/federation/v1/publicRooms";
const v3 = "/_matrix/client/v3";

const published = { preset: "public_chat", visibility: "public" };
const small = await createRoom(alice, {
  ...published,
  name: "Small",
  topic: "cheese",
  room_alias_name: "small",
});
const space = await createRoom(alice, { ...published, name: "Space", creation_content: { type: "m.space" } });
await createRoom(alice, { preset: "public_chat", name: "Unlisted" });
await createRoom(alice, { ...published, name: "Ours alone", creation_content: { "m.federate": false } });
const banned = await createRoom(alice, { ...published, name: "Not for peers" });
await setState(alice, banned, "m.room.server_acl", {
  allow: ["*"],
  deny: ["127.0.0.1", peer.name],
  allow_ip_literals: false,
});

const namesOf = (body: Json) => (body["chunk"] as { name: string }[]).map(({ name }) => name).toSorted();

/** The directory of a server as a user of another one sees it. */
const listed = async (query: Query, filter?: Json) => {
  const answer = filter
    ? await bob.post(
        `${v3}/publicRooms${queryOf({ server: query["server"] })}`,
        { ...query, filter },
        "queryPublicRooms",
      )
    : await bob.get(`${v3}/publicRooms${queryOf(query)}`, "getPublicRooms");
  return { status: answer.status, body: answer.body };
};

t.test(
  "getPublicRooms, queryPublicRooms: other servers get what is published and open to them",
  async (t) => {
    const all = await peer.request(here, "GET", `${path}?limit=0`);
    t.equal(all.status, 200);
    assertMatchesSpec("getPublicRooms", all.status, all.body);
    t.strictSame(namesOf(all.body), ["Small", "Space"]);
    t.match(
      (all.body["chunk"] as Json[]).find(({ name }) => name === "Small"),
      {
        room_id: small,
        topic: "cheese",
        canonical_alias: `#small:${here.name}`,
        num_joined_members: 1,
        world_readable: false,
        join_rule: "public",
      },
    );
    const found = await peer.request(here, "POST", path, { filter: { generic_search_term: "CHEES" } });
    assertMatchesSpec("queryPublicRooms", found.status, found.body);
    t.strictSame(namesOf(found.body), ["Small"]);
    const spaces = await peer.request(here, "POST", path, { filter: { room_types: ["m.space"] } });
    t.match(spaces.body["chunk"], [{ room_id: space, room_type: "m.space" }]);
    const irc = await peer.request(here, "GET", `${path}?third_party_instance_id=irc`);
    t.strictSame(irc.body["chunk"], []);
  },
);

t.test("getPublicRooms, queryPublicRooms: signed requests only, and what cannot be", async (t) => {
  t.equal((await fetch(`${here.url}${path}`)).status, 401);
  for (const [query, errcode] of [
    ["?limit=-1", "M_INVALID_PARAM"],
    ["?limit=many", "M_INVALID_PARAM"],
    ["?since=elsewhere", "M_INVALID_PARAM"],
    ["?include_all_networks=true&third_party_instance_id=irc", "M_INVALID_PARAM"],
  ] as const) {
    const answer = await peer.request(here, "GET", path + query);
    t.match([answer.status, answer.body["errcode"]], [400, errcode], query);
  }
  const body = await peer.request(here, "POST", path, { filter: { room_types: [1] } });
  t.match([body.status, body.body["errcode"]], [400, "M_BAD_JSON"]);
});

t.test(
  "getPublicRooms, queryPublicRooms: users look into another server's directory, page by page",
  async (t) => {
    const whole = await listed({ server: here.name });
    t.equal(whole.status, 200);
    t.strictSame(namesOf(whole.body), ["Small", "Space"]);
    const first = await listed({ server: here.name, limit: 1 });
    const since = first.body["next_batch"];
    const names = namesOf(first.body);
    for (let next = since; typeof next === "string"; ) {
      const { body } = await listed({ server: here.name, limit: 1, since: next });
      names.push(...namesOf(body));
      next = body["next_batch"];
    }
    t.strictSame(names.toSorted(), ["Small", "Space"]);
    t.strictSame(namesOf((await listed({ server: here.name }, { generic_search_term: "chee" })).body), [
      "Small",
    ]);
    t.strictSame(namesOf((await listed({ server: here.name }, { room_types: [null] })).body), ["Small"]);
  },
);

t.test("getPublicRooms: other servers are asked for users only, and their errors are told", async (t) => {
  const nobody = await anonymous(there).get(`${v3}/publicRooms?server=${here.name}`, "getPublicRooms");
  t.match([nobody.status, nobody.body["errcode"]], [401, "M_MISSING_TOKEN"]);
  const refuse = (status: number, errcode: string) =>
    peer.answers.set(path, () => ({ status, body: { errcode, error: "no" } }));
  refuse(403, "M_FORBIDDEN");
  t.match(await listed({ server: peer.name }), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  refuse(500, "M_UNKNOWN");
  t.match(await listed({ server: peer.name }), { status: 502, body: { errcode: "M_BAD_STATUS" } });
  refuse(401, "M_UNKNOWN_TOKEN");
  t.match(await listed({ server: peer.name }), { status: 502, body: { errcode: "M_BAD_STATUS" } });
  t.match(await listed({ server: "127.0.0.1:1" }), { status: 502, body: { errcode: "M_CONNECTION_FAILED" } });
});

t.test("what another server tells of its rooms is held to its form", async (t) => {
  const good = {
    room_id: `!good:${peer.name}`,
    name: "Good",
    num_joined_members: 7,
    world_readable: true,
    guest_can_join: false,
    avatar_url: `mxc://${peer.name}/abc`,
    canonical_alias: `#good:${peer.name}`,
    join_rule: "knock",
  };
  const odd = {
    room_id: `!odd:${peer.name}`,
    name: 5,
    topic: {},
    num_joined_members: "many",
    world_readable: "yes",
    avatar_url: "javascript:alert(1)",
    canonical_alias: "no alias",
    room_type: "x".repeat(300),
  };
  const chunk = [good, odd, { room_id: "no room" }, {}, null, "text", 1.5, []];
  peer.answers.set(path, () => ({
    status: 200,
    body: { chunk, next_batch: "more", prev_batch: 5, total_room_count_estimate: 1.5 },
  }));
  const { status, body } = await listed({ server: peer.name, limit: 10 });
  t.equal(status, 200);
  t.strictSame(body, {
    chunk: [
      good,
      {
        room_id: odd.room_id,
        num_joined_members: 0,
        world_readable: false,
        guest_can_join: false,
        join_rule: "public",
      },
    ],
    next_batch: "more",
  });
  const asked = peer.uris.length;
  await listed({ server: peer.name, limit: 10 });
  t.equal(peer.uris.length, asked, "the same page is known for a while");
  t.equal(
    ((await listed({ server: peer.name, limit: 1 })).body["chunk"] as Json[]).length,
    1,
    "no more than asked for",
  );
  for (const [limit, answer] of [{}, { chunk: 5 }, []].entries()) {
    peer.answers.set(path, () => ({ status: 200, body: answer as Json }));
    const wrong = await listed({ server: peer.name, limit: limit + 20 });
    t.match([wrong.status, wrong.body["errcode"]], [502, "M_CONNECTION_FAILED"], JSON.stringify(answer));
  }
});

t.test("getRoomIdByAlias: aliases of other servers, whatever characters they have", async (t) => {
  const alias = `#老虎Â£я🤨👉ඞ:${here.name}`;
  const put = await alice.put(`${v3}/directory/room/${encodeURIComponent(alias)}`, { room_id: small });
  t.equal(put.status, 200);
  const found = await bob.get(`${v3}/directory/room/${encodeURIComponent(alias)}`, "getRoomIdByAlias");
  t.match(found, { status: 200, body: { room_id: small, servers: [here.name] } });
  const none = await bob.get(
    `${v3}/directory/room/${encodeURIComponent(`#none:${here.name}`)}`,
    "getRoomIdByAlias",
  );
  t.match([none.status, none.body["errcode"]], [404, "M_NOT_FOUND"]);
});

t.test("getPublicRooms: a server that shares its directory with nobody", async (t) => {
  await using closed = await startFederatedServers(1);
  const [server] = closed;
  if (!server) throw new Error("a server is needed");
  await using other = await FakePeer.start(closed.tls);
  const answer = await other.request(server, "GET", path);
  t.match([answer.status, answer.body["errcode"]], [403, "M_FORBIDDEN"]);
});
