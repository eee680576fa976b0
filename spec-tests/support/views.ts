import type { Test } from "tap";
import type { TestAnswer, TestClient } from "./client.ts";
import { bodiesOf, type Json, type TestEvent } from "./rooms.ts";
import { foundWithin, patienceMs, until } from "./within.ts";

// What somebody sees of a room by way of their own server.

const v3 = "/_matrix/client/v3";
const maxPages = 500;

export function roomPath(roomId: string, ...parts: readonly string[]): string {
  return `${v3}/rooms/${[roomId, ...parts].map(encodeURIComponent).join("/")}`;
}

/** @throws when the answer is no success */
export function ok({ status, body }: TestAnswer, what: string): Json {
  if (status === 200) return body;
  throw new Error(`${what}: ${status} ${JSON.stringify(body)}`);
}

/** Joins a room by way of a server that is in it. */
export async function joinVia(client: TestClient, roomOrAlias: string, via: string): Promise<string> {
  const server = encodeURIComponent(via);
  const path = `${v3}/join/${encodeURIComponent(roomOrAlias)}?via=${server}&server_name=${server}`;
  return String(ok(await client.post(path, {}), `${client.userId} joining ${roomOrAlias}`)["room_id"]);
}

/** An event, once it has come. */
export function sees(
  client: TestClient,
  roomId: string,
  eventId: string,
  timeoutMs = patienceMs,
): Promise<TestEvent> {
  return until(timeoutMs, `${client.userId} to see ${eventId}`, async () => {
    const { status, body } = await client.get(roomPath(roomId, "event", eventId));
    return status === 200 && (body as unknown as TestEvent);
  });
}

/** The content of a state event, once it is what is waited for. */
export function seesState(
  client: TestClient,
  roomId: string,
  [type, stateKey]: readonly [type: string, stateKey: string],
  isIt: (content: Json) => boolean,
): Promise<Json> {
  return until(patienceMs, `${client.userId} to see ${type} of ${stateKey}`, async () => {
    const { status, body } = await client.get(roomPath(roomId, "state", type, stateKey));
    return status === 200 && isIt(body) && body;
  });
}

export async function seesMembership(
  client: TestClient,
  roomId: string,
  userId: string,
  membership: string,
): Promise<void> {
  await seesState(
    client,
    roomId,
    ["m.room.member", userId],
    (content) => content["membership"] === membership,
  );
}

/** The event IDs of a room's state by type and state key, as those in it see them. */
async function stateOf(client: TestClient, roomId: string): Promise<Record<string, string>> {
  const answer = await fetch(client.server.url + roomPath(roomId, "state"), {
    headers: { Authorization: `Bearer ${client.accessToken}` },
  });
  if (!answer.ok) throw new Error(`the state for ${client.userId}: ${answer.status} ${await answer.text()}`);
  const events = (await answer.json()) as readonly TestEvent[];
  const pairs = events.map(({ type, state_key: key = "", event_id: id }) => [`${type} ${key}`, id] as const);
  return Object.fromEntries(pairs.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/**
 * Waits until all see the same state, for so long only.
 * @returns what each sees of it then, or in the end
 */
export async function statesSeen(
  roomId: string,
  clients: readonly TestClient[],
  timeoutMs: number,
  pauseMs?: number,
): Promise<readonly Record<string, string>[]> {
  let states: Record<string, string>[] = [];
  const isSame = async () => {
    states = await Promise.all(clients.map((client) => stateOf(client, roomId)));
    return new Set(states.map((state) => JSON.stringify(state))).size === 1;
  };
  await foundWithin(timeoutMs, isSame, pauseMs);
  return states;
}

/** Waits until all see the same state, which has to be what it stays. */
export async function seeTheSameState(
  t: Test,
  roomId: string,
  ...clients: readonly TestClient[]
): Promise<void> {
  const [first, ...others] = await statesSeen(roomId, clients, patienceMs);
  for (const other of others) t.same(other, first, "they see the same state");
}

/**
 * A room's timeline, oldest first, as far as its pages go. Where something is missing that no other server gives now, they
 * stay where they are: who asks again later may see more.
 */
export async function timelineOf(client: TestClient, roomId: string, pageSize = 100): Promise<TestEvent[]> {
  const events: TestEvent[] = [];
  let from: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const query = new URLSearchParams({
      dir: "b",
      limit: `${pageSize}`,
      ...(from !== undefined && { from }),
    });
    const answer = await client.get(`${roomPath(roomId, "messages")}?${query.toString()}`);
    const { chunk, end } = ok(answer, "paging back");
    events.push(...(chunk as TestEvent[]));
    if (typeof end !== "string" || end === from) return events.toReversed();
    from = end;
  }
  throw new Error(`more than ${maxPages} pages in ${roomId}`);
}

/** The texts said in a room, oldest first. */
export async function textsOf(client: TestClient, roomId: string): Promise<unknown[]> {
  return bodiesOf(await timelineOf(client, roomId));
}

/** Waits until a sync has what is looked for; for what is in no room. */
export function seesInSync<Value>(
  client: TestClient,
  what: string,
  find: (body: Json) => Value | undefined | false,
): Promise<Value> {
  let since = "";
  return until(patienceMs, `${client.userId} to see ${what}`, async () => {
    const body = ok(await client.get(`${v3}/sync?timeout=500${since}`), "syncing");
    since = `&since=${encodeURIComponent(String(body["next_batch"]))}`;
    return find(body);
  });
}

/** Waits until somebody has been invited to a room, or whatever else they are there. */
export async function seesRoomAs(
  client: TestClient,
  membership: "invite" | "leave" | "join" | "knock",
  roomId: string,
): Promise<Json> {
  return seesInSync(client, `${roomId} as ${membership}`, (body) => {
    const rooms = body["rooms"] as Record<string, Record<string, Json>> | undefined;
    return rooms?.[membership]?.[roomId];
  });
}
