import { isNamespacedIdentifier } from "../../protocol/identifiers.ts";
import type { JsonValue } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { parseMxcUri } from "../../protocol/mxc-uri.ts";
import type { ProfileStore } from "../../storage/profiles.ts";
import type { Profiles } from "./profiles.ts";

/** Tells those who see a user what the user now looks like. */
export interface ProfilePropagator {
  /**
   * A user's display name or avatar has changed: their member events are to say so ("Events on Change of Profile
   * Information").
   */
  profileChanged(userNid: number): Promise<void>;
}

/** "The total profile MUST be under 64 KiB." */
const maxProfileBytes = 64 * 1024 - 1;
const maxNameBytes = 255;
/** Both go into a member event for every room, which may have 64 KiB. */
const maxDisplayNameLength = 256;
const maxAvatarUrlLength = 1000;

/** Changes users' own profiles (client-server API, "Profiles"). */
export class ProfileEditing {
  readonly #store: ProfileStore;
  readonly #profiles: Profiles;
  readonly #propagator: ProfilePropagator;

  constructor(store: ProfileStore, profiles: Profiles, propagator: ProfilePropagator) {
    this.#store = store;
    this.#profiles = profiles;
    this.#propagator = propagator;
  }

  /**
   * Sets a field. An empty display name or avatar is none, as clients without the means to delete a field mean it.
   * @throws MatrixError M_BAD_JSON for a value that the field cannot have, M_INVALID_PARAM, M_KEY_TOO_LARGE,
   *   M_PROFILE_TOO_LARGE.
   */
  async put(userNid: number, name: string, value: JsonValue): Promise<void> {
    this.check(name, value);
    if (value === "" && isInMemberEvents(name)) return this.remove(userNid, name);
    const field = { name, value: JSON.stringify(value) };
    const outcome = await this.#store.put(userNid, field, maxProfileBytes);
    if (outcome === "too-large") {
      throw new MatrixError("M_PROFILE_TOO_LARGE", "With this field your profile would have 64 KiB or more");
    }
    if (outcome === "changed") await this.#changed(userNid, name);
  }

  /** Whether a field can have a value. @throws MatrixError M_BAD_JSON, M_INVALID_PARAM, M_KEY_TOO_LARGE */
  check(name: string, value: JsonValue): void {
    checkName(name);
    checkValue(name, value);
  }

  /** Removes a field, if it is set. @throws MatrixError M_INVALID_PARAM, M_KEY_TOO_LARGE. */
  async remove(userNid: number, name: string): Promise<void> {
    checkName(name);
    if (await this.#store.remove(userNid, name)) await this.#changed(userNid, name);
  }

  async #changed(userNid: number, name: string): Promise<void> {
    this.#profiles.forget(userNid);
    if (isInMemberEvents(name)) await this.#propagator.profileChanged(userNid);
  }
}

function isInMemberEvents(name: string): boolean {
  return name === "displayname" || name === "avatar_url";
}

function checkName(name: string): void {
  if (Buffer.byteLength(name) > maxNameBytes) {
    throw new MatrixError("M_KEY_TOO_LARGE", `A field's name may have at most ${maxNameBytes} bytes`);
  }
  if (!isNamespacedIdentifier(name)) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "A field's name starts with a letter a-z and has only a-z, 0-9 and the characters ._- in it",
    );
  }
}

/**
 * Clients would fetch a picture from an address of another kind, and so tell its owner who looks. Text that is no address
 * shows no picture and harms nobody: it is taken, as other servers take it.
 */
function isForeignAddress(value: string): boolean {
  return !parseMxcUri(value) && (URL.canParse(value) || value.startsWith("//"));
}

function checkValue(name: string, value: JsonValue): void {
  if (!isInMemberEvents(name) && name !== "m.tz") return;
  if (typeof value !== "string") throw new MatrixError("M_BAD_JSON", `${name} must be a string`);
  if (name === "displayname" && value.length > maxDisplayNameLength) {
    throw new MatrixError("M_BAD_JSON", `A display name may have at most ${maxDisplayNameLength} characters`);
  }
  if (name === "avatar_url" && (value.length > maxAvatarUrlLength || isForeignAddress(value))) {
    throw new MatrixError("M_BAD_JSON", "avatar_url must be like mxc://server/mediaId");
  }
}
