import type { Test } from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { PartitionableServers } from "../support/partitionable-servers.ts";
import { bodiesOf, createRoom, say, sync, type TestEvent } from "../support/rooms.ts";
import { joinVia, ok, roomPath, textsOf } from "../support/views.ts";
import { foundWithin, until } from "../support/within.ts";

const rooms = 5;
const messages = 10_000;
const speakers = 20;
const waitMs = 120_000;
const pauseMs = 250;

/**
 * A server is away while much is said: it gets the newest of each room when it is back, what was said before that when
 * somebody reads there, and everything once.
 */
export async function testOutage(t: Test): Promise<void> {
  await using network = await PartitionableServers.start(2);
  const [home, away] = network.servers;
  if (!home || !away) throw new Error("two servers are needed");
  const alice = await registerUser(home, "alice");
  const bob = await registerUser(away, "bob");
  const roomIds: string[] = [];
  for (let index = 0; index < rooms; index++) roomIds.push(await createRoom(alice));
  for (const roomId of roomIds) await joinVia(bob, roomId, network.names[0] ?? "");
  const start = (await sync(bob)).nextBatch;

  await away.end("SIGTERM");
  const said = new Map(roomIds.map((roomId) => [roomId, [] as string[]]));
  await Promise.all(Array.from({ length: speakers }, (_, index) => speak(alice, said, index)));
  await away.start();
  // Who has been away for long says something, and is heard of by that.
  for (const roomId of roomIds) await say(bob, roomId, "back");

  for (const roomId of roomIds) {
    await until(
      waitMs,
      `the newest of ${roomId}`,
      () => isNewest(bob, roomId, said.get(roomId) ?? []),
      pauseMs,
    );
  }
  const { timeline } = (await sync(bob, { since: start })).room("join", roomIds[0] ?? "");
  t.equal(timeline.limited, true, "clients are told of the gap");
  for (const roomId of roomIds) {
    let texts: string[] = [];
    const wanted = said.get(roomId) ?? [];
    const isWhole = async () => {
      texts = (await textsOf(bob, roomId)).map(String).filter((text) => text !== "back");
      return texts.length >= wanted.length;
    };
    await foundWithin(waitMs, isWhole, pauseMs);
    t.same(texts.toSorted(), wanted.toSorted(), "everything that was said, once");
  }
  for (const server of network.servers) t.same(server.complaints, []);
}

/** One of those who speak at the same time: every so many of the messages are theirs. */
async function speak(alice: TestClient, said: ReadonlyMap<string, string[]>, index: number): Promise<void> {
  const roomIds = [...said.keys()];
  for (let count = index; count < messages; count += speakers) {
    const roomId = roomIds[count % roomIds.length] ?? "";
    await say(alice, roomId, `message ${count}`);
    said.get(roomId)?.push(`message ${count}`);
  }
}

async function isNewest(user: TestClient, roomId: string, said: readonly string[]): Promise<boolean> {
  const page = await user.get(`${roomPath(roomId, "messages")}?dir=b&limit=${speakers}`);
  const { chunk } = ok(page, "the newest messages");
  const newest = new Set(said.slice(-speakers));
  return bodiesOf(chunk as TestEvent[]).some((text) => newest.has(String(text)));
}
