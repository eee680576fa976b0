import type { TestClient } from "./client.ts";

const v3 = "/_matrix/client/v3";

export type Json = Record<string, unknown>;

/** An event as clients get it. */
export interface TestEvent {
  readonly event_id: string;
  readonly type: string;
  readonly sender: string;
  readonly state_key?: string;
  readonly room_id?: string;
  readonly origin_server_ts: number;
  readonly content: Json;
  readonly unsigned?: Json;
  readonly redacts?: string;
}

interface Events {
  readonly events: TestEvent[];
}

/** A room's part of an answer to /sync, in any of its memberships. */
export interface SyncedRoom {
  readonly summary?: Json;
  readonly state: Events;
  readonly state_after?: Events;
  readonly timeline: Events & { readonly limited: boolean; readonly prev_batch: string };
  readonly ephemeral: Events;
  readonly account_data: Events;
  readonly unread_notifications: Json;
  readonly invite_state: Events;
  readonly knock_state: Events;
}

export type RoomMembership = "join" | "invite" | "knock" | "leave";

/** An answer to /sync. */
export class SyncAnswer {
  readonly body: Json;
  readonly nextBatch: string;

  constructor(body: Json) {
    this.body = body;
    this.nextBatch = String(body["next_batch"]);
  }

  /** A room's part, if the answer has one. */
  find(membership: RoomMembership, roomId: string): SyncedRoom | undefined {
    const rooms = this.body["rooms"] as
      | Partial<Record<RoomMembership, Record<string, SyncedRoom>>>
      | undefined;
    return rooms?.[membership]?.[roomId];
  }

  /** @throws when the answer does not have the room */
  room(membership: RoomMembership, roomId: string): SyncedRoom {
    const room = this.find(membership, roomId);
    if (room) return room;
    throw new Error(`no ${membership} of ${roomId} in ${JSON.stringify(this.body["rooms"])}`);
  }

  /** The bodies of the messages in a joined room's timeline. */
  bodies(roomId: string): unknown[] {
    return bodiesOf(this.find("join", roomId)?.timeline.events ?? []);
  }

  get hasRooms(): boolean {
    return this.body["rooms"] !== undefined;
  }
}

/** What `query` may have: anything that URLSearchParams makes text of; objects become JSON. */
export type Query = Record<string, string | number | boolean | object | undefined>;

export function queryOf(query: Query): string {
  const entries = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, typeof value === "object" ? JSON.stringify(value) : String(value)]],
  );
  return entries.length === 0 ? "" : `?${new URLSearchParams(entries).toString()}`;
}

export async function sync(client: TestClient, query: Query = {}): Promise<SyncAnswer> {
  const { status, body } = await client.get(`${v3}/sync${queryOf(query)}`, "sync");
  if (status !== 200) throw new Error(`sync answered ${status}: ${JSON.stringify(body)}`);
  return new SyncAnswer(body);
}

export async function createRoom(
  client: TestClient,
  body: Json = {},
  ...members: TestClient[]
): Promise<string> {
  const answer = await client.post(`${v3}/createRoom`, { preset: "public_chat", ...body });
  const roomId = answer.body["room_id"];
  if (typeof roomId !== "string") throw new Error(`createRoom answered ${JSON.stringify(answer.body)}`);
  for (const member of members) await join(member, roomId);
  return roomId;
}

let transactions = 0;

/** @returns the event ID */
export async function send(
  client: TestClient,
  roomId: string,
  type: string,
  content: Json,
  transactionId = `test-${++transactions}`,
): Promise<string> {
  const path = `${v3}/rooms/${encodeURIComponent(roomId)}/send/${type}/${transactionId}`;
  return eventIdOf(await client.put(path, content));
}

export function say(client: TestClient, roomId: string, body: string): Promise<string> {
  return send(client, roomId, "m.room.message", { msgtype: "m.text", body });
}

export async function setState(
  client: TestClient,
  roomId: string,
  type: string,
  content: Json,
  stateKey = "",
): Promise<string> {
  const path = `${v3}/rooms/${encodeURIComponent(roomId)}/state/${type}/${encodeURIComponent(stateKey)}`;
  return eventIdOf(await client.put(path, content));
}

export async function redact(client: TestClient, roomId: string, eventId: string): Promise<string> {
  const path = `${v3}/rooms/${encodeURIComponent(roomId)}/redact/${encodeURIComponent(eventId)}`;
  return eventIdOf(await client.put(`${path}/test-${++transactions}`, { reason: "spam" }));
}

export async function join(client: TestClient, roomId: string): Promise<void> {
  await expectOk(client.post(`${v3}/rooms/${encodeURIComponent(roomId)}/join`, {}));
}

export async function leave(client: TestClient, roomId: string): Promise<void> {
  await expectOk(client.post(`${v3}/rooms/${encodeURIComponent(roomId)}/leave`, {}));
}

/** Changes somebody else's membership. */
export async function moderate(
  client: TestClient,
  roomId: string,
  action: "invite" | "kick" | "ban",
  userId: string,
): Promise<void> {
  await expectOk(client.post(`${v3}/rooms/${encodeURIComponent(roomId)}/${action}`, { user_id: userId }));
}

/** Reads under `/rooms/{roomId}`; see `TestClient.call`. */
export function read(
  client: TestClient,
  operationId: string | undefined,
  roomId: string,
  path: string,
  query: Query = {},
  version = "v3",
) {
  return client.get(
    `/_matrix/client/${version}/rooms/${encodeURIComponent(roomId)}/${path}${queryOf(query)}`,
    operationId,
  );
}

export function bodiesOf(events: readonly TestEvent[]): unknown[] {
  return events.filter(({ type }) => type === "m.room.message").map(({ content }) => content["body"]);
}

function eventIdOf({ status, body }: { readonly status: number; readonly body: Json }): string {
  const eventId = body["event_id"];
  if (typeof eventId === "string") return eventId;
  throw new Error(`sending answered ${status}: ${JSON.stringify(body)}`);
}

async function expectOk(answer: Promise<{ readonly status: number; readonly body: Json }>): Promise<void> {
  const { status, body } = await answer;
  if (status !== 200) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
}
