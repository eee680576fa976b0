import { registerUser, type TestClient } from "../../../spec-tests/support/client.ts";
import { createRoom, queryOf, say, sync } from "../../../spec-tests/support/rooms.ts";
import { startServer } from "../server.ts";
import type { FilledServers } from "./filled-server.ts";
import { compare, times } from "./turns.ts";

const fewRooms = 10;
const syncs = 1_000;
const syncsAfterEvents = 300;

/**
 * Compares the incremental sync of an account in ten rooms with that of one in very many, when there is nothing new for
 * them: first while nothing happens at all, then while others write in rooms of their own.
 */
export async function benchRooms(rooms: number, { onlyFill }: FilledServers): Promise<void> {
  if (onlyFill) return;
  await using server = await startServer();
  const [quiet, busy, other] = await Promise.all([0, 1, 2].map(() => registerUser(server)));
  if (!quiet || !busy || !other) throw new Error("nobody is there to sync");
  await times(fewRooms, () => createRoom(quiet));
  await times(rooms, () => createRoom(busy));
  const elsewhere = await createRoom(other);
  const inRooms = (name: string, count: number, operate: () => Promise<unknown>) => ({
    name: `${name}, ${count} rooms`,
    pid: server.pid,
    operate,
  });
  const [quietSync, busySync] = [await since(quiet), await since(busy)];
  const still = "an incremental sync with nothing new";
  await compare(inRooms(still, fewRooms, quietSync), inRooms(still, rooms, busySync), syncs);
  const [quietCase, busyCase] = [
    { client: quiet, sinceStart: quietSync },
    { client: busy, sinceStart: busySync },
  ].map(({ sinceStart }) => async () => {
    await say(other, elsewhere, "to nobody");
    await sinceStart();
  });
  if (!quietCase || !busyCase) throw new Error("nobody is there to sync");
  const moved = "a message elsewhere and an incremental sync with nothing new";
  await compare(inRooms(moved, fewRooms, quietCase), inRooms(moved, rooms, busyCase), syncsAfterEvents);
}

/** An incremental sync, always from the same place. */
async function since(client: TestClient): Promise<() => Promise<void>> {
  const { nextBatch } = await sync(client);
  const path = `/_matrix/client/v3/sync${queryOf({ since: nextBatch, timeout: 0 })}`;
  return async () => {
    const { status, body } = await client.get(path);
    if (status !== 200 || body["rooms"] !== undefined) throw new Error(`sync answered ${status}`);
  };
}
