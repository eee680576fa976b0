import { hash, timingSafeEqual } from "node:crypto";
import { addressGroup } from "../../auth/address-group.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type {
  ContactValidation,
  ContactValidationStore,
  ValidationPurpose,
} from "../../storage/contact-validations.ts";
import type { ContactAddress, ContactStore } from "../../storage/contacts.ts";
import type { MessageKind } from "../../storage/deliveries.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { RandomBytes } from "../../telemetry/random.ts";
import { checkClientSecret, type ContactRules } from "./contact-rules.ts";
import type { SendingLimits } from "./sending-limits.ts";
import type { ValidationSecrets } from "./validation-secrets.ts";

export interface ValidationRequest {
  readonly purpose: ValidationPurpose;
  readonly contact: ContactAddress;
  readonly clientSecret: string;
  readonly sendAttempt: number;
  readonly nextLink?: string | undefined;
  /** Of the message. */
  readonly language: string;
  /** Where the request comes from. */
  readonly clientAddress: string;
}

/** What a client knows of a session that is its own. */
export interface ValidationCredentials {
  readonly sid: string;
  readonly clientSecret: string;
}

/** An address that somebody has proved. */
export interface ProvenContact extends ContactAddress {
  readonly validatedTs: number;
}

export interface ContactValidationParts {
  readonly store: ContactValidationStore;
  readonly contacts: Pick<ContactStore, "ownerOf">;
  readonly rules: ContactRules;
  readonly limits: SendingLimits;
  readonly secrets: ValidationSecrets;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  /** Called when a message has been put into the queue. */
  readonly queued: () => void;
}

const sidBytes = 16;
const hourMs = 60 * 60 * 1000;
/** An e-mail may be read tomorrow; a text message is read at once. */
const lifetimeHours = { email: 24, msisdn: 1 } as const;
const fullQueueRetryMs = 60_000;

const confirmKinds = {
  add: "confirm-address",
  register: "confirm-registration",
  password: "confirm-password-reset",
} as const satisfies Record<ValidationPurpose, MessageKind>;

/** When there is nothing to prove, the message says why, and the answer to the client does not. */
const otherwiseKinds = {
  add: "address-in-use",
  register: "already-registered",
  password: "no-such-account",
} as const satisfies Record<ValidationPurpose, MessageKind>;

/**
 * Lets people prove that an address is theirs (client-server API, `requestToken`). What a client is answered does not tell
 * whether an address belongs to an account: the address's owner learns that, by the message.
 */
export class ContactValidations {
  readonly #parts: ContactValidationParts;

  constructor(parts: ContactValidationParts) {
    this.#parts = parts;
  }

  /**
   * Begins a session, or goes on with it.
   * @returns the session's ID
   * @throws MatrixError M_THREEPID_MEDIUM_NOT_SUPPORTED, M_THREEPID_DENIED, M_INVALID_PARAM, M_LIMIT_EXCEEDED
   */
  async begin(request: ValidationRequest): Promise<string> {
    const { store, rules, limits, clock, randomBytes, queued } = this.#parts;
    const { purpose, contact, clientSecret, sendAttempt, nextLink, language } = request;
    rules.checkMedium(contact.medium);
    checkClientSecret(clientSecret);
    rules.checkNextLink(nextLink);
    if (purpose !== "password") rules.checkAllowed(contact);
    limits.take(contact, addressGroup(request.clientAddress));
    const { isVoid, kind } = await this.#aimOf(request);
    const hours = lifetimeHours[contact.medium];
    const nowTs = clock.nowMs();
    const expiresTs = nowTs + hours * hourMs;
    const sid = await store.begin(
      {
        ...contact,
        sid: randomBytes(sidBytes).toString("hex"),
        purpose,
        isVoid,
        secretHash: hashOf(clientSecret),
        sendAttempt,
        nextLink: nextLink ?? null,
        expiresTs,
      },
      { ...contact, kind, language, values: { hours: String(hours) }, expiresTs },
      nowTs,
    );
    if (sid === undefined) {
      throw new MatrixError("M_LIMIT_EXCEEDED", "Too many messages wait to be sent: try again later", {
        retry_after_ms: fullQueueRetryMs,
      });
    }
    queued();
    return sid;
  }

  /**
   * Takes the token from a message (identity service API, `submitToken`).
   * @param clientSecret needed for codes that are typed: those can be guessed
   * @returns where the browser goes from here, if anywhere
   * @throws MatrixError M_TOKEN_INCORRECT, M_SESSION_EXPIRED, M_INVALID_PARAM
   */
  async submit(sid: string, token: string, clientSecret: string | undefined): Promise<string | null> {
    const { store, secrets, clock } = this.#parts;
    const session = await store.find(sid, clock.nowMs());
    const isClient = clientSecret !== undefined && session && isSecretOf(session, clientSecret);
    if (!session || (clientSecret !== undefined && !isClient)) throw expired();
    if (session.medium !== "email" && !isClient) {
      throw new MatrixError("M_INVALID_PARAM", "Missing client_secret");
    }
    const isRight = secrets.fits(sid, session.medium, token);
    const outcome = await store.tokenCame(sid, isRight, clock.nowMs());
    if (outcome === "ended") throw expired();
    if (outcome === "wrong")
      throw new MatrixError("M_TOKEN_INCORRECT", "This is not what was in the message");
    return session.nextLink;
  }

  /** Whether a session's address has been proved, for this purpose if one is given. */
  async isProven(credentials: ValidationCredentials, purpose?: ValidationPurpose): Promise<boolean> {
    return (await this.#proven(credentials, purpose)) !== undefined;
  }

  /**
   * Uses up what a session proves.
   * @throws MatrixError M_THREEPID_AUTH_FAILED when it proves nothing, or not this
   */
  async take(credentials: ValidationCredentials, purpose: ValidationPurpose): Promise<ProvenContact> {
    const proven = await this.require(credentials, purpose);
    if (!(await this.end(credentials))) throw notProven();
    return proven;
  }

  /**
   * What a session proves, which then has to be used up by {@link end}.
   * @throws MatrixError M_THREEPID_AUTH_FAILED when it proves nothing, or not this
   */
  async require(credentials: ValidationCredentials, purpose: ValidationPurpose): Promise<ProvenContact> {
    const proven = await this.#proven(credentials, purpose);
    if (!proven) throw notProven();
    return proven;
  }

  /** False when the session has ended already. */
  end({ sid }: ValidationCredentials): Promise<boolean> {
    return this.#parts.store.take(sid);
  }

  async #proven(
    { sid, clientSecret }: ValidationCredentials,
    purpose: ValidationPurpose | undefined,
  ): Promise<ProvenContact | undefined> {
    const session = await this.#parts.store.find(sid, this.#parts.clock.nowMs());
    if (!session || session.validatedTs === null || !isSecretOf(session, clientSecret)) return undefined;
    if (purpose !== undefined && session.purpose !== purpose) return undefined;
    const { medium, address, validatedTs } = session;
    return { medium, address, validatedTs };
  }

  /** Whether there is something to prove, and what the message says. */
  async #aimOf({ purpose, contact }: ValidationRequest): Promise<{ isVoid: boolean; kind: MessageKind }> {
    const isOwned = (await this.#parts.contacts.ownerOf(contact)) !== undefined;
    const isVoid = purpose === "password" ? !isOwned : isOwned;
    return { isVoid, kind: isVoid ? otherwiseKinds[purpose] : confirmKinds[purpose] };
  }
}

function isSecretOf({ secretHash }: ContactValidation, clientSecret: string): boolean {
  return timingSafeEqual(secretHash, hashOf(clientSecret));
}

function hashOf(clientSecret: string): Buffer {
  return hash("sha256", clientSecret, "buffer");
}

function expired(): MatrixError {
  return new MatrixError("M_SESSION_EXPIRED", "This has taken too long, or too many attempts: start over");
}

/** The address has not been proved, in as far as the client may know. */
export function notProven(): MatrixError {
  return new MatrixError(
    "M_THREEPID_AUTH_FAILED",
    "The address has not been confirmed yet: do what the message to it says, or have another one sent",
  );
}
