import type { Test } from "tap";
import { registerUser } from "../support/client.ts";
import { createRoom, say } from "../support/rooms.ts";
import { bothWays, type Meeting, type Peers, titleOf } from "./peer.ts";
import { joinVia, ok, sees, textsOf, timelineOf } from "../support/views.ts";

const messages = 120;

/** What was there before somebody came. */
export function testHistory(t: Test, { hearth, synapse }: Peers): void {
  for (const meeting of bothWays(hearth, synapse)) {
    const title = titleOf(meeting);
    t.test(`history before the join is got from the other server, ${title}`, (t) => before(t, meeting));
    t.test(`history that is not shown stays hidden, ${title}`, (t) => hidden(t, meeting));
    t.test(`the event of a moment before the join is found, ${title}`, (t) => moment(t, meeting));
  }
}

async function before(t: Test, { host, guest }: Meeting): Promise<void> {
  for (const version of ["1", "11"]) {
    const alice = await registerUser(host);
    const bob = await registerUser(guest);
    const roomId = await createRoom(alice, { room_version: version });
    const said = Array.from({ length: messages }, (_, index) => `message ${index}`);
    for (const text of said) await say(alice, roomId, text);
    await joinVia(bob, roomId, host.name);
    t.same(await textsOf(bob, roomId), said, "everything that was said, in order");
    const own = (await timelineOf(alice, roomId)).map(({ event_id: id }) => id);
    const got = (await timelineOf(bob, roomId)).map(({ event_id: id }) => id);
    t.same(got, own, "the same timeline to the room's beginning");
  }
}

async function hidden(t: Test, { host, guest }: Meeting): Promise<void> {
  const alice = await registerUser(host);
  const bob = await registerUser(guest);
  const visibility = {
    type: "m.room.history_visibility",
    state_key: "",
    content: { history_visibility: "joined" },
  };
  const roomId = await createRoom(alice, { initial_state: [visibility] });
  for (let index = 0; index < 10; index++) await say(alice, roomId, `secret ${index}`);
  await joinVia(bob, roomId, host.name);
  await sees(bob, roomId, await say(alice, roomId, "open"));
  t.same(await textsOf(bob, roomId), ["open"]);
}

async function moment(t: Test, { host, guest }: Meeting): Promise<void> {
  const alice = await registerUser(host);
  const bob = await registerUser(guest);
  const roomId = await createRoom(alice);
  const first = await say(alice, roomId, "first");
  const { origin_server_ts: ts } = await sees(alice, roomId, first);
  for (let index = 0; index < 30; index++) await say(alice, roomId, `later ${index}`);
  await joinVia(bob, roomId, host.name);
  const path = `/_matrix/client/v1/rooms/${encodeURIComponent(roomId)}/timestamp_to_event?ts=${ts}&dir=f`;
  t.equal(ok(await bob.get(path), "the event of a moment")["event_id"], first);
}
