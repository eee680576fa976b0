import t, { type Test } from "tap";
import { registerAdmin, registerUser, type TestAnswer, type TestClient } from "../support/client.ts";
import { createRoom, leave, moderate, say, sync } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const v3 = "/_matrix/client/v3";
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const admin = await registerAdmin(server);
const alice = await registerUser(server);

async function suspend(user: TestClient, suspended: boolean): Promise<void> {
  await admin.put(`/_matrix/client/v1/admin/suspend/${user.userId}`, { suspended });
}

function refused(t: Test, operationId: string, { status, body }: TestAnswer): void {
  t.equal(status, 403, operationId);
  t.equal(body["errcode"], "M_USER_SUSPENDED", operationId);
}

t.test("suspended users take no part in rooms", async (t) => {
  const bob = await registerUser(server);
  const carol = await registerUser(server);
  const room = encodeURIComponent(await createRoom(alice, {}, bob));
  const elsewhere = await createRoom(alice, { preset: "private_chat" });
  await moderate(alice, elsewhere, "invite", bob.userId);
  const message = { msgtype: "m.text", body: "x" };
  const calls: [operationId: string, method: string, path: string, body: object][] = [
    ["sendMessage", "PUT", `rooms/${room}/send/m.room.message/1`, message],
    ["setRoomStateWithKey", "PUT", `rooms/${room}/state/org.example.thing/key`, {}],
    ["joinRoomById", "POST", `rooms/${encodeURIComponent(elsewhere)}/join`, {}],
    ["joinRoom", "POST", `join/${encodeURIComponent(await createRoom(alice))}`, {}],
    ["knockRoom", "POST", `knock/${encodeURIComponent(elsewhere)}`, {}],
    ["inviteUser", "POST", `rooms/${room}/invite`, { user_id: carol.userId }],
    ["createRoom", "POST", "createRoom", {}],
  ];
  await suspend(bob, true);
  for (const [operationId, method, path, body] of calls) {
    refused(t, operationId, await bob.call(operationId, method, `${v3}/${path}`, body));
  }
  await suspend(bob, false);
  t.equal((await bob.put(`${v3}/rooms/${room}/send/m.room.message/1`, message)).status, 200);
});

t.test("suspended users read, leave rooms, turn invites down and redact what they have sent", async (t) => {
  const bob = await registerUser(server);
  const roomId = await createRoom(alice, { power_level_content_override: { redact: 0 } }, bob);
  const invited = await createRoom(alice, { preset: "private_chat" });
  await moderate(alice, invited, "invite", bob.userId);
  const own = await say(bob, roomId, "mine");
  const other = await say(bob, roomId, "mine as well");
  const hers = await say(alice, roomId, "hers");
  await suspend(bob, true);
  t.same((await sync(bob)).bodies(roomId), ["mine", "mine as well", "hers"]);
  const room = encodeURIComponent(roomId);
  const redact = (eventId: string, txn: string) =>
    bob.put(`${v3}/rooms/${room}/redact/${encodeURIComponent(eventId)}/${txn}`, {}, "redactEvent");
  const send = (redacts: string, txn: string) =>
    bob.put(`${v3}/rooms/${room}/send/m.room.redaction/${txn}`, { redacts }, "sendMessage");
  t.equal((await redact(own, "1")).status, 200);
  t.equal((await send(other, "2")).status, 200);
  refused(t, "redactEvent", await redact(hers, "3"));
  refused(t, "sendMessage", await send(hers, "4"));
  await leave(bob, invited);
  await leave(bob, roomId);
  t.notOk((await sync(bob)).hasRooms);
});
