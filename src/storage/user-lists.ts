import type { UserId } from "../protocol/identifiers.ts";
import type { Account } from "./accounts.ts";

/** What the users of this server can be ordered by. */
export type UserOrder =
  | "name"
  | "displayname"
  | "avatar_url"
  | "is_guest"
  | "admin"
  | "deactivated"
  | "locked"
  | "user_type"
  | "creation_ts"
  | "last_seen_ts";

/** Which users of this server are wanted, and in what order; `null` where all are. */
export interface UserQuery {
  /** Part of the localpart or the display name, whatever its case. */
  readonly name: string | null;
  /** Part of the user ID. */
  readonly userId: string | null;
  readonly isGuest: boolean | null;
  readonly isAdmin: boolean | null;
  readonly isDeactivated: boolean | null;
  readonly isLocked: boolean | null;
  /** Without users of these types; the empty string stands for no type. */
  readonly withoutTypes: readonly string[];
  /** Those who are equal in it are ordered by user ID. */
  readonly orderBy: UserOrder;
  readonly isDescending: boolean;
  readonly offset: number;
  readonly limit: number;
}

export interface ListedUser
  extends Pick<
    Account,
    "isGuest" | "isAdmin" | "isDeactivated" | "isErased" | "isLocked" | "userType" | "createdTs"
  > {
  readonly userId: UserId;
  readonly displayName: string | null;
  readonly avatarUrl: string | null;
  /** When one of the user's devices was last used. */
  readonly lastSeenTs: number | null;
}

/** Lists of this server's users, for administrators. */
export interface UserListStore {
  /** A part of the list, and how many there are in all. */
  page(query: UserQuery): Promise<{ readonly users: ListedUser[]; readonly total: number }>;
}
