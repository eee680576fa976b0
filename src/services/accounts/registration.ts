import type { AppserviceRegistry } from "../../appservices/registry.ts";
import type { PasswordHasher } from "../../auth/password-hasher.ts";
import type { Requester } from "../../auth/requester.ts";
import { parseNewUserId, type ServerName, type UserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { AcceptedPolicy, AccountStore, CreateAccountOutcome } from "../../storage/accounts.ts";
import type { Contact } from "../../storage/contacts.ts";
import type { ExternalId } from "../../storage/external-ids.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { RandomBytes } from "../../telemetry/random.ts";
import type { PasswordPolicy } from "./new-password.ts";
import type { Credentials, SessionFactory, SessionWish } from "./new-session.ts";
import type { SessionsChanged } from "./sessions.ts";

export interface RegistrationWish {
  readonly userId: UserId;
  /** `null` for who is to sign in elsewhere only. */
  readonly password: string | null;
  readonly displayName: string;
  readonly isAdmin?: boolean;
  readonly userType?: string | null;
  /** A registration token to spend. */
  readonly registrationToken?: string | undefined;
  /** Addresses that the person has proved. */
  readonly contacts?: readonly Contact[] | undefined;
  /** Who the user is at providers of single sign-on. */
  readonly externalIds?: readonly ExternalId[] | undefined;
  readonly acceptedPolicies?: readonly AcceptedPolicy[] | undefined;
  /** The guest that becomes this user. */
  readonly guest?: Requester | undefined;
  /** `undefined`: nobody is logged in. */
  readonly session?: SessionWish | undefined;
}

export interface Registered {
  readonly userId: UserId;
  readonly loggedIn: (Credentials & { readonly deviceId: string }) | undefined;
}

const chosenLocalpartBytes = 8;

export interface RegistrationParts {
  readonly accounts: AccountStore;
  readonly hasher: PasswordHasher;
  readonly passwordPolicy: PasswordPolicy;
  readonly sessions: SessionFactory;
  readonly serverName: ServerName;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly sessionsChanged: SessionsChanged;
  /** Names that are reserved; absent for administrators, who may have them. */
  readonly reserved?: Pick<AppserviceRegistry, "checkNewUser"> | undefined;
}

/** Makes accounts. Who may have one is decided before: by the endpoint, or by the administrator who asks. */
export class Registration {
  readonly #parts: RegistrationParts;

  constructor(parts: RegistrationParts) {
    this.#parts = parts;
  }

  /**
   * The user ID for a wished username, in lower case; one of the server's choice without a wish.
   * @throws MatrixError M_INVALID_USERNAME.
   */
  userIdFor(username: string | undefined): UserId {
    const localpart =
      username?.toLowerCase() ?? this.#parts.randomBytes(chosenLocalpartBytes).toString("hex");
    const userId = parseNewUserId(`@${localpart}:${this.#parts.serverName}`);
    if (userId) return userId;
    throw new MatrixError(
      "M_INVALID_USERNAME",
      "A username has letters a-z, digits and the characters ._=-/+ only, and is not longer than 255 bytes with @ and server name",
    );
  }

  /** @throws MatrixError M_USER_IN_USE, M_EXCLUSIVE for a name that an application service has for itself. */
  async checkAvailable(userId: UserId): Promise<void> {
    this.#parts.reserved?.checkNewUser(userId, undefined);
    if (await this.#parts.accounts.find(userId)) throw inUse(userId);
  }

  /** @throws MatrixError M_USER_IN_USE, M_WEAK_PASSWORD, M_FORBIDDEN for a registration token that is spent. */
  async register(wish: RegistrationWish): Promise<Registered> {
    const { userId, guest, registrationToken, contacts, externalIds, acceptedPolicies } = wish;
    const passwordHash = await this.#hashed(wish.password);
    const created = wish.session && this.#parts.sessions.create(wish.session);
    const extras = {
      ...(created && { session: created.session }),
      ...(registrationToken !== undefined && { registrationToken }),
      ...(contacts && { contacts }),
      ...(externalIds && { externalIds }),
      ...(acceptedPolicies && { acceptedPolicies }),
    };
    const createdTs = this.#parts.clock.nowMs();
    const outcome = guest
      ? await this.#parts.accounts.upgradeGuest(guest.userNid, passwordHash, extras, createdTs)
      : await this.#parts.accounts.create(
          {
            userId,
            passwordHash,
            createdTs,
            isAdmin: wish.isAdmin ?? false,
            isGuest: false,
            userType: wish.userType ?? null,
            appserviceId: null,
            displayName: wish.displayName,
          },
          extras,
        );
    checkCreated(outcome, userId);
    if (guest) this.#parts.sessionsChanged(guest.userNid);
    return { userId, loggedIn: created && { ...created.credentials, deviceId: created.session.deviceId } };
  }

  async #hashed(password: string | null): Promise<string | null> {
    if (password === null) return null;
    this.#parts.passwordPolicy.check(password);
    return this.#parts.hasher.hash(password);
  }

  /** Client-server API, "Guest Access": the server chooses name and device. */
  async registerGuest(displayName: string | undefined): Promise<Registered> {
    const userId = this.userIdFor(undefined);
    const { session, credentials } = this.#parts.sessions.create({ displayName });
    const outcome = await this.#parts.accounts.create(
      {
        userId,
        passwordHash: null,
        createdTs: session.createdTs,
        isAdmin: false,
        isGuest: true,
        userType: null,
        appserviceId: null,
        displayName: null,
      },
      { session },
    );
    checkCreated(outcome, userId);
    return { userId, loggedIn: { ...credentials, deviceId: session.deviceId } };
  }
}

function checkCreated(outcome: CreateAccountOutcome, userId: UserId): void {
  if (outcome.created) return;
  if (outcome.reason === "in-use") throw inUse(userId);
  if (outcome.reason === "contact-in-use") {
    throw new MatrixError("M_THREEPID_IN_USE", "Another account has this address: log in with that one");
  }
  if (outcome.reason === "external-id-in-use") {
    throw new MatrixError("M_CONFLICT", "Another account has one of these external IDs");
  }
  throw new MatrixError("M_FORBIDDEN", "This registration token has been used as often as it may be");
}

function inUse(userId: UserId): MatrixError {
  return new MatrixError("M_USER_IN_USE", `${userId} is taken: choose another username`);
}
