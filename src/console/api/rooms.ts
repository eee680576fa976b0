import type { Page } from "../parts/use-pages.ts";
import type { Session } from "../session/session.ts";
import { path } from "./matrix-api.ts";

export interface ListedRoom {
  readonly room_id: string;
  readonly name: string | null;
  readonly canonical_alias: string | null;
  readonly joined_members: number;
  readonly joined_local_members: number;
  readonly version: string;
  readonly creator: string;
  readonly encryption: string | null;
  readonly federatable: boolean;
  readonly public: boolean;
  readonly join_rules: string | null;
  readonly guest_access: string | null;
  readonly history_visibility: string | null;
  readonly state_events: number;
}

export interface Room extends ListedRoom {
  readonly topic: string | null;
}

export interface StateEvent {
  readonly event_id: string;
  readonly type: string;
  readonly state_key: string;
  readonly sender: string;
  readonly origin_server_ts: number;
  readonly content: unknown;
}

export const roomOrders = ["name", "joined_members", "state_events"] as const;
export type RoomOrder = (typeof roomOrders)[number];

const pageSize = 50;

export async function listRooms(
  session: Session,
  wish: { readonly term: string; readonly order: RoomOrder; readonly from: string | undefined },
  signal: AbortSignal,
): Promise<Page<ListedRoom>> {
  const query = { search_term: wish.term, order_by: wish.order, from: wish.from, limit: pageSize };
  const answer = await session.get<{ rooms: ListedRoom[]; total_rooms: number; next_batch?: number }>(
    "/_synapse/admin/v1/rooms",
    query,
    signal,
  );
  return { rows: answer.rooms, total: answer.total_rooms, next: answer.next_batch?.toString() };
}

export function getRoom(session: Session, roomId: string, signal: AbortSignal): Promise<Room> {
  return session.get(path`/_synapse/admin/v1/rooms/${roomId}`, {}, signal);
}

export async function roomMembers(session: Session, roomId: string, signal: AbortSignal): Promise<string[]> {
  const answer = await session.get<{ members: string[] }>(
    path`/_synapse/admin/v1/rooms/${roomId}/members`,
    {},
    signal,
  );
  return answer.members;
}

export async function roomState(
  session: Session,
  roomId: string,
  signal: AbortSignal,
): Promise<StateEvent[]> {
  const answer = await session.get<{ state: StateEvent[] }>(
    path`/_synapse/admin/v1/rooms/${roomId}/state`,
    {},
    signal,
  );
  return answer.state;
}

export async function isBlocked(session: Session, roomId: string, signal: AbortSignal): Promise<boolean> {
  const answer = await session.get<{ block: boolean }>(
    path`/_synapse/admin/v1/rooms/${roomId}/block`,
    {},
    signal,
  );
  return answer.block;
}
