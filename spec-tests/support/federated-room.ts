import type { Test } from "tap";
import { registerUser, type TestClient } from "./client.ts";
import { FakePeer } from "./fake-peer.ts";
import { type FederatedServer, startFederatedServers } from "./federated-servers.ts";
import { createRoom, type Query, sync, type SyncAnswer } from "./rooms.ts";
import { patienceMs, until } from "./within.ts";

export interface FederatedRoom {
  readonly roomId: string;
  readonly one: FederatedServer;
  readonly two: FederatedServer;
  /** A user of the first server, who made the room. */
  readonly alice: TestClient;
  /** A user of the second, who has joined it. */
  readonly bob: TestClient;
  /** A server of another make, whose user has joined the room on the first one. */
  readonly peer: FakePeer;
}

/** Starts two servers and a fake one with a user each, all of them in a public room. They stop when the test ends. */
export async function federatedRoom(t: Test): Promise<FederatedRoom> {
  const servers = await startFederatedServers(2);
  t.teardown(() => servers[Symbol.asyncDispose]());
  const [one, two] = servers;
  if (!one || !two) throw new Error("two servers are needed");
  const peer = await FakePeer.start(servers.tls);
  t.teardown(() => peer[Symbol.asyncDispose]());
  const [alice, bob] = [await registerUser(one, "alice"), await registerUser(two, "bob")];
  const roomId = await createRoom(alice, { room_version: "11" });
  await joinBy(bob, roomId, one);
  await peer.join(one, roomId);
  return { roomId, one, two, alice, bob, peer };
}

/** Joins a room by way of a server. */
export async function joinBy(client: TestClient, roomId: string, { name }: FederatedServer): Promise<void> {
  const path = `/_matrix/client/v3/join/${encodeURIComponent(roomId)}?server_name=${encodeURIComponent(name)}`;
  const { status, body } = await client.post(path, {});
  if (status !== 200) throw new Error(`joining was answered ${status}: ${JSON.stringify(body)}`);
}

/**
 * Syncs until an answer has what is looked for.
 * @throws when it does not come in time
 */
export async function syncUntil(
  client: TestClient,
  isThere: (answer: SyncAnswer) => boolean,
  query: Query = {},
): Promise<SyncAnswer> {
  let next = query;
  return until(patienceMs, `${client.userId} to be told by sync`, async () => {
    const answer = await sync(client, next);
    next = { ...query, since: answer.nextBatch, timeout: 1_000 };
    return isThere(answer) && answer;
  });
}
