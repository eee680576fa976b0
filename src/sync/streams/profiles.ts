import type { ChangedProfileField, ProfileStore } from "../../storage/profiles.ts";

/** What a client gets of users' profiles: by user ID and field, the value as JSON; `null` for what has been removed. */
export type ProfileUpdates = Map<string, Map<string, string | null>>;

/** Names of fields; `undefined` for all. */
export type ProfileFieldNames = readonly string[] | undefined;

/** What one answer brings; a client that shows somebody else asks for their profile. */
const maxFields = 5_000;
const maxBytes = 4 * 1024 * 1024;

/** Profiles of those who share a room with a user (MSC4262, MSC4429). */
export class ProfileStream {
  readonly #store: Pick<ProfileStore, "changedBetween" | "ofMembers">;

  constructor(store: Pick<ProfileStore, "changedBetween" | "ofMembers">) {
    this.#store = store;
  }

  /** What has changed in the profiles of a user and of their neighbours after one position, up to another. */
  async addChanges(
    updates: ProfileUpdates,
    userNid: number,
    span: { readonly since: number; readonly upTo: number },
    names: ProfileFieldNames,
  ): Promise<void> {
    add(updates, await this.#store.changedBetween(userNid, span, names ?? null, maxFields));
  }

  /**
   * The profiles of those who have come into rooms after a position, 0 for all who are in them.
   * @param userNids further users, whatever rooms they are in
   */
  async addMembers(
    updates: ProfileUpdates,
    roomNids: readonly number[],
    since: number,
    userNids: readonly number[],
    names: ProfileFieldNames,
  ): Promise<void> {
    if (roomNids.length === 0 && userNids.length === 0) return;
    add(updates, await this.#store.ofMembers(roomNids, since, userNids, names ?? null, maxFields));
  }
}

function add(updates: ProfileUpdates, fields: readonly ChangedProfileField[]): void {
  let bytes = 0;
  for (const { userId, name, value } of fields) {
    bytes += Buffer.byteLength(value ?? "");
    if (bytes > maxBytes) return;
    const user = updates.get(userId) ?? new Map<string, string | null>();
    user.set(name, value);
    updates.set(userId, user);
  }
}
