import type { Test } from "tap";
import { registerUser } from "../support/client.ts";
import { createRoom, say, setState } from "../support/rooms.ts";
import { until } from "../support/within.ts";
import { bothWays, type Meeting, type Peers, titleOf } from "./peer.ts";
import { joinVia, sees, seeTheSameState, textsOf, timelineOf } from "../support/views.ts";

const messages = 60;
/** A server that was away while it was tried three times, as where it starts slowly, may be tried again after this only. */
const retryMs = 90_000;

/** One of them is away for a while. */
export function testOutages(t: Test, { hearth, synapse }: Peers): void {
  for (const meeting of bothWays(hearth, synapse)) {
    const title = titleOf(meeting);
    t.test(`what was said while the guest was away is got, ${title}`, (t) => away(t, meeting));
    t.test(`both have changed the room while the other was away, ${title}`, (t) => forked(t, meeting));
  }
}

async function away(t: Test, { host, guest }: Meeting): Promise<void> {
  const alice = await registerUser(host);
  const bob = await registerUser(guest);
  const roomId = await createRoom(alice);
  const quiet = await createRoom(alice);
  for (const room of [roomId, quiet]) await joinVia(bob, room, host.name);
  await sees(alice, quiet, await say(bob, quiet, "hello"));
  const said: string[] = [];
  await guest.restart(async () => {
    for (let index = 0; index < messages; index++) {
      said.push(`message ${index}`);
      await say(alice, roomId, `message ${index}`);
    }
    await setState(alice, roomId, "m.room.topic", { topic: "Nobody here" });
    await say(alice, quiet, "are you there?");
  });
  await sees(bob, roomId, await say(alice, roomId, "back"), retryMs);
  t.same(await textsOf(bob, roomId), [...said, "back"]);
  await seeTheSameState(t, roomId, alice, bob);
  const isCaughtUp = async () => (await textsOf(bob, quiet)).at(-1) === "are you there?";
  const isTold = until(retryMs, "what was said in a room in which nothing else happens", isCaughtUp, 200);
  t.ok(await isTold, "rooms in which nothing else happens are caught up with too");
}

async function forked(t: Test, { host, guest }: Meeting): Promise<void> {
  for (const version of ["2", "11", "12"]) {
    const alice = await registerUser(host);
    const bob = await registerUser(guest);
    const levels = { events: { "m.room.topic": 0, "m.room.name": 0 } };
    const roomId = await createRoom(alice, { room_version: version, power_level_content_override: levels });
    await joinVia(bob, roomId, host.name);
    await sees(alice, roomId, await say(bob, roomId, "hello"));
    await guest.restart(async () => {
      await setState(alice, roomId, "m.room.topic", { topic: "Alice" });
      for (let index = 0; index < 5; index++) await say(alice, roomId, `alone ${index}`);
      await setState(alice, roomId, "m.room.name", { name: "Alice" });
      await host.stop();
    });
    await setState(bob, roomId, "m.room.topic", { topic: "Bob" });
    for (let index = 0; index < 5; index++) await say(bob, roomId, `alone too ${index}`);
    await setState(bob, roomId, "m.room.name", { name: "Bob" });
    await host.start();
    const ends = [await say(alice, roomId, "over"), await say(bob, roomId, "over")];
    for (const end of ends) for (const client of [alice, bob]) await sees(client, roomId, end, retryMs);
    await seeTheSameState(t, roomId, alice, bob);
    const ids = (await timelineOf(alice, roomId)).map(({ event_id: id }) => id).toSorted();
    t.same(
      (await timelineOf(bob, roomId)).map(({ event_id: id }) => id).toSorted(),
      ids,
      "the same timeline",
    );
  }
}
