import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { ephemeral, postReceipt, setMarkers } from "../support/ephemeral.ts";
import { createRoom, say, type SyncAnswer, sync } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");

function fullyRead(answer: SyncAnswer, roomId: string): unknown {
  const events = answer.find("join", roomId)?.account_data.events ?? [];
  return events.find(({ type }) => type === "m.fully_read")?.content["event_id"];
}

async function storedMarker(user: TestClient, roomId: string): Promise<unknown> {
  const place = `${encodeURIComponent(user.userId)}/rooms/${encodeURIComponent(roomId)}`;
  const path = `/_matrix/client/v3/user/${place}/account_data/m.fully_read`;
  return (await user.get(path, "getAccountDataPerRoom")).body["event_id"];
}

t.test("setReadMarker: moves the marker and both receipts at once, and sync tells", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const [one, two, three] = [
    await say(bob, roomId, "1"),
    await say(bob, roomId, "2"),
    await say(bob, roomId, "3"),
  ];
  const since = (await sync(alice)).nextBatch;
  const markers = { "m.fully_read": one, "m.read": two, "m.read.private": three };
  t.equal((await setMarkers(alice, roomId, markers)).status, 200);
  const answer = await sync(alice, { since });
  t.equal(fullyRead(answer, roomId), one);
  t.equal(await storedMarker(alice, roomId), one);
  t.match(ephemeral(answer, roomId, "m.receipt"), {
    [two]: { "m.read": { [alice.userId]: { ts: Number } } },
    [three]: { "m.read.private": { [alice.userId]: { ts: Number } } },
  });
});

t.test("setReadMarker: each of the three may come alone, or none", async (t) => {
  const roomId = await createRoom(alice);
  const eventId = await say(alice, roomId, "1");
  t.equal((await setMarkers(alice, roomId, {})).status, 200);
  t.equal((await setMarkers(alice, roomId, { "m.read": eventId })).status, 200);
  t.equal(await storedMarker(alice, roomId), undefined);
  t.equal((await setMarkers(alice, roomId, { "m.fully_read": eventId })).status, 200);
  t.equal(await storedMarker(alice, roomId), eventId);
});

t.test("setReadMarker, postReceipt: the marker never moves backwards", async (t) => {
  const roomId = await createRoom(alice);
  const [one, two] = [await say(alice, roomId, "1"), await say(alice, roomId, "2")];
  t.equal((await postReceipt(alice, roomId, two, {}, "m.fully_read")).status, 200);
  t.equal(await storedMarker(alice, roomId), two);
  const since = (await sync(alice)).nextBatch;
  t.equal((await setMarkers(alice, roomId, { "m.fully_read": one })).status, 200);
  t.equal(await storedMarker(alice, roomId), two);
  t.notOk((await sync(alice, { since })).hasRooms);
});

t.test("setReadMarker: one wrong marker, and none is moved", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const eventId = await say(alice, roomId, "1");
  const refused = async (markers: unknown, status: number, errcode: string) => {
    const answer = await setMarkers(bob, roomId, markers);
    t.equal(answer.status, status);
    t.equal(answer.body["errcode"], errcode);
  };
  const since = (await sync(bob)).nextBatch;
  await refused({ "m.fully_read": eventId, "m.read": "$unknown" }, 404, "M_NOT_FOUND");
  await refused({ "m.fully_read": "$unknown", "m.read": eventId }, 404, "M_NOT_FOUND");
  await refused({ "m.read": eventId, "m.read.private": "no event" }, 400, "M_INVALID_PARAM");
  await refused({ "m.read": eventId, "m.fully_read": 1 }, 400, "M_BAD_JSON");
  await refused("m.read", 400, "M_BAD_JSON");
  t.notOk((await sync(bob, { since })).hasRooms);
  const carol = await registerUser(server);
  t.equal((await setMarkers(carol, roomId, { "m.read": eventId })).status, 403);
});

t.test("setReadMarker: a marker is told to its user alone", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const eventId = await say(alice, roomId, "1");
  const since = (await sync(bob)).nextBatch;
  await setMarkers(alice, roomId, { "m.fully_read": eventId, "m.read.private": eventId });
  t.notOk((await sync(bob, { since })).hasRooms);
});

t.test("setReadMarker, postReceipt: the marker goes back for who asks for it (MSC4446)", async (t) => {
  const roomId = await createRoom(alice);
  const [one, two] = [await say(alice, roomId, "1"), await say(alice, roomId, "2")];
  const back = { "com.beeper.allow_backward": true };
  await setMarkers(alice, roomId, { "m.fully_read": two, "m.read": two });
  const since = (await sync(alice)).nextBatch;
  t.equal((await setMarkers(alice, roomId, { "m.fully_read": one, "m.read": one, ...back })).status, 200);
  t.equal(await storedMarker(alice, roomId), one);
  const answer = await sync(alice, { since });
  t.equal(fullyRead(answer, roomId), one);
  t.equal(ephemeral(answer, roomId, "m.receipt"), undefined, "receipts never go back");
  t.equal((await setMarkers(alice, roomId, { "m.fully_read": one, ...back })).status, 200);
  t.notOk((await sync(alice, { since: answer.nextBatch })).hasRooms, "it is there already");

  await setMarkers(alice, roomId, { "m.fully_read": two, ...back });
  t.equal(await storedMarker(alice, roomId), two, "forward as well");
  t.equal((await postReceipt(alice, roomId, one, back, "m.fully_read")).status, 200);
  t.equal(await storedMarker(alice, roomId), one);
  for (const type of ["m.read", "m.read.private"]) {
    const refused = await postReceipt(alice, roomId, one, back, type);
    t.match(refused, { status: 400, body: { errcode: "M_INVALID_PARAM" } });
  }
  const wrong = await setMarkers(alice, roomId, { "m.fully_read": two, "com.beeper.allow_backward": 1 });
  t.match(wrong, { status: 400, body: { errcode: "M_BAD_JSON" } });
});
