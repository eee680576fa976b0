import type { Test } from "tap";
import { registerUser, type TestClient } from "./client.ts";
import { FakePeer } from "./fake-peer.ts";
import { type FederatedServer, type FederatedServers, startFederatedServers } from "./federated-servers.ts";
import { createRoom, type Query, sync, type SyncAnswer } from "./rooms.ts";
import { joinVia, ok, roomPath } from "./views.ts";
import { patienceMs, until } from "./within.ts";

/** A server with a user, and one of another make. */
export interface ServerAndPeer {
  readonly servers: FederatedServers;
  readonly server: FederatedServer;
  /** A user of the server. */
  readonly alice: TestClient;
  /** A server of another make. */
  readonly peer: FakePeer;
}

/** Two servers with a user each, and one of another make. */
export interface TwoServersAndPeer {
  readonly servers: FederatedServers;
  readonly one: FederatedServer;
  readonly two: FederatedServer;
  /** A user of the first server. */
  readonly alice: TestClient;
  /** A user of the second. */
  readonly bob: TestClient;
  /** A server of another make. */
  readonly peer: FakePeer;
}

export interface FederatedRoom extends TwoServersAndPeer {
  /** Made by the user of the first server; the others' users have joined it by that. */
  readonly roomId: string;
}

/** Starts servers and a fake one, which stop when the test ends. */
async function startWithPeer(
  t: Test,
  count: number,
  overrides: Record<string, unknown>,
): Promise<{ readonly servers: FederatedServers; readonly peer: FakePeer }> {
  const servers = await startFederatedServers(count, overrides);
  t.teardown(() => servers[Symbol.asyncDispose]());
  const peer = await FakePeer.start(servers.tls);
  t.teardown(() => peer[Symbol.asyncDispose]());
  return { servers, peer };
}

/** Starts a server with a user, and a fake one. They stop when the test ends. @param overrides of the configuration */
export async function serverAndPeer(
  t: Test,
  overrides: Record<string, unknown> = {},
): Promise<ServerAndPeer> {
  const { servers, peer } = await startWithPeer(t, 1, overrides);
  const [server] = servers;
  if (!server) throw new Error("a server is needed");
  return { servers, server, peer, alice: await registerUser(server, "alice") };
}

/** Starts two servers with a user each, and a fake one. They stop when the test ends. @param overrides of both configurations */
export async function twoServersAndPeer(
  t: Test,
  overrides: Record<string, unknown> = {},
): Promise<TwoServersAndPeer> {
  const { servers, peer } = await startWithPeer(t, 2, overrides);
  const [one, two] = servers;
  if (!one || !two) throw new Error("two servers are needed");
  const [alice, bob] = [await registerUser(one, "alice"), await registerUser(two, "bob")];
  return { servers, one, two, peer, alice, bob };
}

/** Starts two servers and a fake one with a user each, all of them in a public room. They stop when the test ends. */
export async function federatedRoom(t: Test): Promise<FederatedRoom> {
  const scene = await twoServersAndPeer(t);
  const { one, alice, bob, peer } = scene;
  const roomId = await createRoom(alice, { room_version: "11" });
  await joinVia(bob, roomId, one.name);
  await peer.join(one, roomId);
  return { ...scene, roomId };
}

/**
 * Joins the peer's user to a public room of version 11, unless said otherwise.
 * @param reader somebody who is in the room
 * @returns the ID of the join, and those of the events that the user's own rest on from then on
 */
export async function joinByPeer(
  peer: FakePeer,
  server: FederatedServer,
  reader: TestClient,
  roomId: string,
  version?: string,
): Promise<{ readonly joinId: string; readonly auth: readonly string[] }> {
  const { joinId } = await peer.join(server, roomId, version);
  const auth: string[] = [];
  for (const type of ["m.room.create", "m.room.power_levels"]) {
    const answer = await reader.get(`${roomPath(roomId, "state", type)}?format=event`);
    auth.push(String(ok(answer, type)["event_id"]));
  }
  return { joinId, auth: [...auth, joinId] };
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
