import type { Page } from "../parts/use-pages.ts";
import type { Session } from "../session/session.ts";
import { path } from "./matrix-api.ts";

export interface ListedUser {
  readonly name: string;
  readonly displayname: string | null;
  readonly is_guest: boolean;
  readonly admin: boolean;
  readonly deactivated: boolean;
  readonly locked: boolean;
  readonly creation_ts: number;
  readonly last_seen_ts: number | null;
}

export interface User extends Omit<ListedUser, "creation_ts"> {
  readonly suspended: boolean;
  readonly user_type: string | null;
  readonly appservice_id: string | null;
  /** Here, and only here, in seconds. */
  readonly creation_ts: number;
  readonly threepids: readonly { readonly medium: string; readonly address: string }[];
  readonly external_ids: readonly { readonly auth_provider: string; readonly external_id: string }[];
}

/** Which users a list has. */
export type UserFilter = "active" | "locked" | "deactivated" | "admins";

const pageSize = 50;

export async function listUsers(
  session: Session,
  wish: { readonly name: string; readonly filter: UserFilter; readonly from: string | undefined },
  signal: AbortSignal,
): Promise<Page<ListedUser>> {
  const query = {
    name: wish.name,
    from: wish.from,
    limit: pageSize,
    deactivated: wish.filter === "deactivated",
    locked: wish.filter !== "active",
    admins: wish.filter === "admins" ? true : undefined,
  };
  const {
    users,
    next_token: next,
    total,
  } = await session.get<{
    users: ListedUser[];
    next_token?: string;
    total: number;
  }>("/_synapse/admin/v3/users", query, signal);
  return { rows: users, next, total };
}

export function getUser(session: Session, userId: string, signal: AbortSignal): Promise<User> {
  return session.get(path`/_synapse/admin/v2/users/${userId}`, {}, signal);
}

export function putUser(session: Session, userId: string, changes: object): Promise<unknown> {
  return session.send("PUT", path`/_synapse/admin/v2/users/${userId}`, changes);
}
