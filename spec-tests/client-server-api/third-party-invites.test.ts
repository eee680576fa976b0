import t from "tap";
import { registerUser } from "../support/client.ts";
import { createRoom, read, sync } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const client = "/_matrix/client/v3";
const address = { medium: "email", address: "bob@example.org" };
const thirdParty = { id_server: "id.example.org", id_access_token: "secret", ...address };

t.test("createRoom: who is known by an address only cannot be invited, and no room is made", async (t) => {
  const alice = await registerUser(server);
  const { nextBatch } = await sync(alice, { set_presence: "offline" });
  const create = (invited: unknown) =>
    alice.post(`${client}/createRoom`, { invite_3pid: invited }, "createRoom");
  const refused = await create([thirdParty]);
  t.equal(refused.status, 403);
  t.equal(refused.body["errcode"], "M_THREEPID_DENIED");
  t.equal((await create([address])).body["errcode"], "M_BAD_JSON");
  t.equal((await sync(alice, { set_presence: "offline" })).nextBatch, nextBatch, "nothing has changed");
  t.equal((await create([])).status, 200, "nobody is nobody");
});

t.test(
  "inviteBy3PID: refused, and nothing is sent; without anybody to invite it is M_BAD_JSON",
  async (t) => {
    const alice = await registerUser(server);
    const roomId = await createRoom(alice);
    const path = `${client}/rooms/${encodeURIComponent(roomId)}/invite`;
    const refused = await alice.post(path, thirdParty, "inviteBy3PID");
    t.equal(refused.status, 403);
    t.equal(refused.body["errcode"], "M_THREEPID_DENIED");
    t.equal((await alice.post(path, {}, "inviteUser")).body["errcode"], "M_BAD_JSON");
    const members = await read(alice, "getMembersByRoom", roomId, "members");
    t.equal((members.body["chunk"] as unknown[]).length, 1);
  },
);
