import t, { type Test } from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { type FederatedServer, startFederatedServers } from "../support/federated-servers.ts";
import { patienceMs, until } from "../support/within.ts";

async function twoServers(
  t: Test,
): Promise<{ alice: TestClient; bob: TestClient; one: FederatedServer; two: FederatedServer }> {
  const servers = await startFederatedServers(2);
  t.teardown(() => servers[Symbol.asyncDispose]());
  const [one, two] = servers;
  if (!one || !two) throw new Error("two servers are needed");
  return { one, two, alice: await registerUser(one, "alice"), bob: await registerUser(two, "bob") };
}

/** Syncs until an answer has what is looked for. */
async function syncUntil(
  client: TestClient,
  isThere: (body: Record<string, unknown>) => boolean,
): Promise<void> {
  let since = "";
  for (let round = 0; round < 60; round++) {
    const { body } = await client.get(`/_matrix/client/v3/sync?timeout=1000${since}`);
    if (isThere(body)) return;
    since = `&since=${body["next_batch"] as string}`;
  }
  throw new Error("what was waited for did not come");
}

const has = (text: string) => (body: Record<string, unknown>) => JSON.stringify(body).includes(text);

async function send(client: TestClient, roomId: string, body: string): Promise<string> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${body}`;
  const answer = await client.put(path, { msgtype: "m.text", body });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return answer.body["event_id"] as string;
}

t.test(
  "makeJoin, sendJoinV2, sendTransaction: a public room is joined by its alias, and messages go both ways",
  async (t) => {
    const { alice, bob, one } = await twoServers(t);
    for (const version of ["1", "6", "11", "12"]) {
      const created = await alice.post("/_matrix/client/v3/createRoom", {
        preset: "public_chat",
        room_alias_name: `hall${version}`,
        room_version: version,
      });
      const roomId = created.body["room_id"] as string;
      const alias = encodeURIComponent(`#hall${version}:${one.name}`);
      const joined = await bob.post(`/_matrix/client/v3/join/${alias}`, {});
      t.same([joined.status, joined.body["room_id"]], [200, roomId], `version ${version}`);
      await send(bob, roomId, `from-bob-${version}`);
      await syncUntil(alice, has(`from-bob-${version}`));
      await send(alice, roomId, `from-alice-${version}`);
      await syncUntil(bob, has(`from-alice-${version}`));
    }
  },
);

t.test("sendInviteV2, makeLeave, sendLeaveV2: an invite is received, taken and refused", async (t) => {
  const { alice, bob } = await twoServers(t);
  const create = async () =>
    (await alice.post("/_matrix/client/v3/createRoom", { name: "Secret", invite: [bob.userId] })).body[
      "room_id"
    ] as string;
  const roomId = await create();
  await syncUntil(bob, (body) => has(roomId)(body) && has('"invite_state"')(body) && has("Secret")(body));
  const joined = await bob.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {});
  t.equal(joined.status, 200, JSON.stringify(joined.body));
  await send(bob, roomId, "thank-you");
  await syncUntil(alice, has("thank-you"));

  const other = await create();
  await syncUntil(bob, has(other));
  t.equal((await bob.post(`/_matrix/client/v3/rooms/${encodeURIComponent(other)}/leave`, {})).status, 200);
  const isGone = async () => {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(other)}/state/m.room.member/${encodeURIComponent(bob.userId)}`;
    return (await alice.get(path)).body["membership"] === "leave";
  };
  t.ok(await until(patienceMs, "the leave to come", isGone));
});
