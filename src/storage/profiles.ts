export interface ProfileField {
  readonly name: string;
  /** A JSON value as text. */
  readonly value: string;
}

/** A field of somebody's profile as it is now; `null` when it has been removed. */
export interface ChangedProfileField {
  readonly userId: string;
  readonly name: string;
  readonly value: string | null;
}

/** Profiles of local users (client-server API, "Profiles"). Every change takes a position in the stream `profiles`. */
export interface ProfileStore {
  /** All fields, by name. */
  fields(userNid: number): Promise<ProfileField[]>;
  /** Sets a field; "too-large" when the profile as a JSON object would be larger than `maxBytes`. */
  put(userNid: number, field: ProfileField, maxBytes: number): Promise<"changed" | "unchanged" | "too-large">;
  /** Removes a field; false when there was none. */
  remove(userNid: number, name: string): Promise<boolean>;
  /**
   * What has changed in a user's own profile and in those of users who share a room with them, the latest first.
   * @param names of the fields that are asked for; `null` for all
   */
  changedBetween(
    userNid: number,
    span: { readonly since: number; readonly upTo: number },
    names: readonly string[] | null,
    limit: number,
  ): Promise<ChangedProfileField[]>;
  /** The profiles of users who have joined rooms after a position, and of further users. */
  ofMembers(
    roomNids: readonly number[],
    since: number,
    userNids: readonly number[],
    names: readonly string[] | null,
    limit: number,
  ): Promise<ChangedProfileField[]>;
}
