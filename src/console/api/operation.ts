import type { Session } from "../session/session.ts";

export interface TrafficInterval {
  readonly ts: number;
  readonly succeeded: number;
  readonly refused: number;
  readonly failed: number;
  readonly median_ms: number | null;
  readonly slow_ms: number | null;
}

export interface Overview {
  readonly server_name: string;
  readonly version: string;
  readonly node_version: string;
  readonly started_ts: number;
  readonly now_ts: number;
  readonly obstacle: string | null;
  readonly resident_bytes: number;
  readonly free_disk_bytes: number;
  readonly measured: Readonly<Record<string, number>>;
  readonly traffic_interval_ms: number;
  readonly traffic: readonly TrafficInterval[];
}

const base = "/_hearth/admin/v1/server";

export function getOverview(session: Session, signal: AbortSignal): Promise<Overview> {
  return session.get(`${base}/overview`, {}, signal);
}

/** How many users and rooms there are. */
export async function countAll(
  session: Session,
  signal: AbortSignal,
): Promise<{ users: number; rooms: number }> {
  const one = { limit: 1 };
  const [users, rooms] = await Promise.all([
    session.get<{ total: number }>("/_synapse/admin/v2/users", one, signal),
    session.get<{ total_rooms: number }>("/_synapse/admin/v1/rooms", one, signal),
  ]);
  return { users: users.total, rooms: rooms.total_rooms };
}

export interface Appservice {
  readonly id: string;
  readonly sender: string;
  readonly url: string | null;
  readonly protocols: readonly string[];
  readonly rate_limited: boolean;
  readonly user_namespaces: number;
  readonly alias_namespaces: number;
  readonly room_namespaces: number;
  readonly behind: number | null;
  readonly failing_since_ts: number | null;
  readonly last_error: string | null;
}

export async function listAppservices(session: Session, signal: AbortSignal): Promise<readonly Appservice[]> {
  const answer = await session.get<{ appservices: Appservice[] }>(`${base}/appservices`, {}, signal);
  return answer.appservices;
}

export interface ConfigKey {
  readonly key: string;
  readonly value: unknown;
  readonly is_default: boolean;
}

export interface Configuration {
  readonly findings: readonly { readonly severity: string; readonly key: string; readonly text: string }[];
  readonly keys: readonly ConfigKey[];
}

export function getConfiguration(session: Session, signal: AbortSignal): Promise<Configuration> {
  return session.get(`${base}/configuration`, {}, signal);
}
