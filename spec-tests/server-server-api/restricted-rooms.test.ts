import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { startFederatedServers } from "../support/federated-servers.ts";
import { patienceMs, until } from "../support/within.ts";

const servers = await startFederatedServers(3);
t.teardown(() => servers[Symbol.asyncDispose]());
const [one, two, three] = servers;
if (!one || !two || !three) throw new Error("three servers are needed");
const alice = await registerUser(one, "alice");
const bob = await registerUser(two, "bob");
const bella = await registerUser(two, "bella");
const carol = await registerUser(three, "carol");

const room = (roomId: string) => encodeURIComponent(roomId);

function join(client: TestClient, roomId: string, ...via: { readonly name: string }[]) {
  const query = new URLSearchParams(via.map(({ name }) => ["server_name", name])).toString();
  return client.post(`/_matrix/client/v3/join/${room(roomId)}?${query}`, {});
}

async function mustJoin(client: TestClient, roomId: string, ...via: { readonly name: string }[]) {
  const { status, body } = await join(client, roomId, ...via);
  if (status !== 200) throw new Error(`${client.userId} does not get in: ${JSON.stringify(body)}`);
}

const leave = (client: TestClient, roomId: string) =>
  client.post(`/_matrix/client/v3/rooms/${room(roomId)}/leave`, {});

async function member(client: TestClient, roomId: string, userId: string): Promise<Record<string, unknown>> {
  const path = `/_matrix/client/v3/rooms/${room(roomId)}/state/m.room.member/${encodeURIComponent(userId)}`;
  return (await client.get(path)).body;
}

/** Waits until a server knows of a membership. */
async function knows(client: TestClient, roomId: string, userId: string, membership: string) {
  const isKnown = async () => (await member(client, roomId, userId))["membership"] === membership;
  await until(patienceMs, `${client.userId} to learn of ${membership} of ${userId}`, isKnown);
}

async function create(client: TestClient, options: Record<string, unknown>): Promise<string> {
  const created = await client.post("/_matrix/client/v3/createRoom", { preset: "public_chat", ...options });
  if (created.status !== 200) throw new Error(JSON.stringify(created.body));
  return created.body["room_id"] as string;
}

function restrictedTo(space: string, rule = "restricted"): Record<string, unknown> {
  const allow = [{ type: "m.room_membership", room_id: space, via: [one?.name] }];
  return {
    room_version: rule === "restricted" ? "8" : "10",
    initial_state: [{ type: "m.room.join_rules", state_key: "", content: { join_rule: rule, allow } }],
  };
}

async function setLevels(client: TestClient, roomId: string, invite: number, users: Record<string, number>) {
  const path = `/_matrix/client/v3/rooms/${room(roomId)}/state/m.room.power_levels`;
  const { status, body } = await client.put(path, { invite, users });
  if (status !== 200) throw new Error(JSON.stringify(body));
}

t.test("makeJoin, sendJoinV2: members of the space come in, others do not", async (t) => {
  for (const rule of ["restricted", "knock_restricted"]) {
    const space = await create(alice, {});
    const hall = await create(alice, restrictedTo(space, rule));
    t.match(await join(bob, hall, one), { status: 403, body: { errcode: "M_FORBIDDEN" } });
    await mustJoin(bob, space, one);
    await mustJoin(bob, hall, one);
    const vouchedFor = { membership: "join", join_authorised_via_users_server: alice.userId };
    t.match(await member(alice, hall, bob.userId), vouchedFor);
    t.match(await member(bob, hall, bob.userId), vouchedFor);
    await leave(bob, hall);
    await leave(bob, space);
    await knows(alice, space, bob.userId, "leave");
    await knows(alice, hall, bob.userId, "leave");
    t.match(await join(bob, hall, one), { status: 403, body: { errcode: "M_FORBIDDEN" } });
    const mangled = `/_matrix/client/v3/rooms/${room(hall)}/state/m.room.join_rules`;
    await alice.put(mangled, { join_rule: rule, allow: "everybody" });
    await mustJoin(bob, space, one);
    t.match(await join(bob, hall, one), { status: 403, body: { errcode: "M_FORBIDDEN" } });
    await alice.post(`/_matrix/client/v3/rooms/${room(hall)}/invite`, { user_id: bob.userId });
    await mustJoin(bob, hall, one);
  }
});

t.test("makeJoin: a server that may let nobody in, or cannot tell, leaves it to another", async (t) => {
  const space = await create(alice, {});
  const hall = await create(alice, restrictedTo(space));
  await setLevels(alice, hall, 100, { [alice.userId]: 100 });
  await mustJoin(bob, space, one);
  await mustJoin(bob, hall, one);
  await mustJoin(carol, space, one);
  await knows(bob, space, carol.userId, "join");
  t.match(await join(carol, hall, two), { status: 400, body: { errcode: "M_UNABLE_TO_GRANT_JOIN" } });
  await mustJoin(carol, hall, two, one);
  await knows(bob, hall, carol.userId, "join");
  t.equal((await member(bob, hall, carol.userId))["join_authorised_via_users_server"], alice.userId);

  await setLevels(alice, hall, 100, { [alice.userId]: 100, [bob.userId]: 100 });
  await leave(carol, hall);
  await leave(bob, space);
  await knows(bob, hall, carol.userId, "leave");
  await knows(alice, hall, carol.userId, "leave");
  t.match(await join(carol, hall, two), { status: 400, body: { errcode: "M_UNABLE_TO_AUTHORISE_JOIN" } });
  await mustJoin(carol, hall, two, one);
  await knows(alice, hall, carol.userId, "join");
});

t.test(
  "makeJoin, sendJoinV2: a server that is in the room asks another for the consent that it cannot give",
  async (t) => {
    const space = await create(alice, {});
    const hall = await create(alice, restrictedTo(space));
    await setLevels(alice, hall, 50, { [alice.userId]: 100 });
    await mustJoin(bob, space, one);
    await mustJoin(bob, hall, one);
    t.match(await join(bella, hall, two), { status: 403, body: { errcode: "M_FORBIDDEN" } });
    await mustJoin(bella, space, two);
    await knows(alice, space, bella.userId, "join");
    await mustJoin(bella, hall, two);
    await knows(alice, hall, bella.userId, "join");
    t.equal((await member(alice, hall, bella.userId))["join_authorised_via_users_server"], alice.userId);

    await setLevels(alice, hall, 0, { [alice.userId]: 100 });
    await leave(alice, hall);
    await knows(bob, hall, alice.userId, "leave");
    await leave(bella, hall);
    await mustJoin(bella, hall, two);
    t.equal((await member(bob, hall, bella.userId))["join_authorised_via_users_server"], bob.userId);
  },
);
