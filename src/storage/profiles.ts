export interface ProfileField {
  readonly name: string;
  /** A JSON value as text. */
  readonly value: string;
}

/** Profiles of local users (client-server API, "Profiles"). */
export interface ProfileStore {
  /** All fields, by name. */
  fields(userNid: number): Promise<ProfileField[]>;
  /** Sets a field; "too-large" when the profile as a JSON object would be larger than `maxBytes`. */
  put(userNid: number, field: ProfileField, maxBytes: number): Promise<"changed" | "unchanged" | "too-large">;
  /** Removes a field; false when there was none. */
  remove(userNid: number, name: string): Promise<boolean>;
}
