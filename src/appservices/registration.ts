import { makeUserId, type ServerName, serverNameOf, type UserId } from "../protocol/identifiers.ts";
import type { Pattern } from "./pattern/pattern.ts";

/** Names that an application service is interested in, or has for itself. */
export interface Namespace {
  readonly pattern: Pattern;
  /** Nobody else may make or remove what has such a name. */
  readonly isExclusive: boolean;
}

/** What a registration file says (application service API, "Registration"). */
export interface Registration {
  readonly id: string;
  /** Where it is reached, without a slash at its end; `null` when it wants to hear nothing. */
  readonly url: string | null;
  /** With which it shows the server who it is. */
  readonly asToken: string;
  /** With which the server shows it who the server is. */
  readonly hsToken: string;
  readonly senderLocalpart: string;
  readonly users: readonly Namespace[];
  readonly aliases: readonly Namespace[];
  readonly rooms: readonly Namespace[];
  /** Whether the users that it acts as are slowed down like others. */
  readonly isRateLimited: boolean;
  readonly protocols: readonly string[];
  /** The keys under which it wants to have ephemeral events; none when it does not want them. */
  readonly ephemeralKeys: readonly string[];
  /** Whether it wants to know whose devices have changed (MSC3202). */
  readonly wantsDeviceLists: boolean;
}

/** An application service of this server: which names are its own. */
export class Appservice {
  readonly registration: Registration;
  /** The user as which it acts unless it says otherwise. */
  readonly senderId: UserId;
  readonly #serverName: ServerName;

  /** @throws TypeError for a sender's localpart that makes no user ID */
  constructor(registration: Registration, serverName: ServerName) {
    const senderId = makeUserId(registration.senderLocalpart, serverName);
    if (!senderId) throw new TypeError(`${registration.senderLocalpart} is not the localpart of a user`);
    this.registration = registration;
    this.senderId = senderId;
    this.#serverName = serverName;
  }

  get id(): string {
    return this.registration.id;
  }

  /** Whether it hears of what concerns a user, and may act as them: users of this server only. */
  coversUser(userId: UserId): boolean {
    if (userId === this.senderId) return true;
    return serverNameOf(userId) === this.#serverName && isIn(this.registration.users, userId);
  }

  isExclusiveUser(userId: UserId): boolean {
    if (userId === this.senderId) return true;
    return serverNameOf(userId) === this.#serverName && isExclusiveIn(this.registration.users, userId);
  }

  coversAlias(alias: string): boolean {
    return isIn(this.registration.aliases, alias);
  }

  isExclusiveAlias(alias: string): boolean {
    return isExclusiveIn(this.registration.aliases, alias);
  }

  coversRoom(roomId: string): boolean {
    return isIn(this.registration.rooms, roomId);
  }
}

function isIn(namespaces: readonly Namespace[], name: string): boolean {
  return namespaces.some(({ pattern }) => pattern.matches(name));
}

function isExclusiveIn(namespaces: readonly Namespace[], name: string): boolean {
  return namespaces.some(({ pattern, isExclusive }) => isExclusive && pattern.matches(name));
}
