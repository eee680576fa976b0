import t from "tap";
import { anonymous, registerUser, type TestClient } from "../support/client.ts";
import { createRoom, leave, say } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const v3 = "/_matrix/client/v3";
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");
const room = await createRoom(alice, {}, bob);
const eventId = await say(alice, room, "nonsense");
const encode = encodeURIComponent;

t.test("reportEvent takes reports of events from members of the room", async (t) => {
  const report = (client: TestClient, id: string, body: unknown = { reason: "rude" }, of = room) =>
    client.post(`${v3}/rooms/${encode(of)}/report/${encode(id)}`, body, "reportEvent");
  t.strictSame((await report(bob, eventId)).body, {});
  t.equal((await report(bob, eventId, {})).status, 200, "without a reason");
  t.equal((await report(bob, eventId, { reason: "", score: -50 })).status, 200);
  const unknown = { status: 404, body: { errcode: "M_NOT_FOUND" } };
  t.match(await report(bob, "$unknown"), unknown);
  const other = await createRoom(alice);
  t.match(await report(alice, eventId, {}, other), unknown, "another room's event");
  t.match(await report(bob, await say(alice, other, "x"), {}, other), unknown, "not in the room");
  for (const body of [{ reason: 5 }, { score: "bad" }, { score: -101 }, [], { reason: "x".repeat(20_000) }]) {
    t.equal((await report(bob, eventId, body)).status, 400, JSON.stringify(body).slice(0, 50));
  }
  t.equal((await report(anonymous(server), eventId)).status, 401);
  await leave(bob, room);
  t.match(await report(bob, eventId), unknown, "after leaving");
});

t.test("reportRoom takes reports of rooms from whoever has found them", async (t) => {
  const report = (id: string, body: unknown = { reason: "scam" }, path = "v3") =>
    bob.post(`/_matrix/client/${path}/rooms/${encode(id)}/report`, body, "reportRoom");
  t.strictSame((await report(room)).body, {});
  t.equal((await report(room, { reason: "" }, "unstable/org.matrix.msc4151")).status, 200);
  t.match(await report("!unknown:hearth.test"), { status: 404, body: { errcode: "M_NOT_FOUND" } });
  t.match(await report("nonsense"), { status: 400, body: { errcode: "M_INVALID_PARAM" } });
  t.equal((await report(room, {})).status, 400);
  t.equal((await report(room, { reason: null })).status, 400);
});

t.test("reportUser takes reports of users who are known", async (t) => {
  const report = (id: string, body: unknown = { reason: "spam" }, path = "v3") =>
    bob.post(`/_matrix/client/${path}/users/${encode(id)}/report`, body, "reportUser");
  t.strictSame((await report(alice.userId)).body, {});
  t.equal((await report(alice.userId, { reason: "" }, "unstable/org.matrix.msc4260")).status, 200);
  t.match(await report("@nobody:hearth.test"), { status: 404, body: { errcode: "M_NOT_FOUND" } });
  t.match(await report("@nobody:other.test"), { status: 404, body: { errcode: "M_NOT_FOUND" } });
  t.match(await report("alice"), { status: 400, body: { errcode: "M_INVALID_PARAM" } });
  t.equal((await report(alice.userId, {})).status, 400);
});
