import { MatrixError } from "../protocol/matrix-error.ts";
import {
  isUsable,
  type RegistrationToken,
  type RegistrationTokenStore,
} from "../storage/registration-tokens.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { RandomBytes } from "../telemetry/random.ts";

const maxTokenLength = 64;
const defaultTokenLength = 16;
/** More than anybody looks through. */
const maxTokens = 10_000;

export interface TokenWish {
  /** One of the server's choice without it. */
  readonly token?: string | undefined;
  /** Of a token of the server's choice. */
  readonly length?: number | undefined;
  /** `null`: as often as one likes. */
  readonly usesAllowed: number | null;
  /** `null`: it does not expire. */
  readonly expiresTs: number | null;
}

/** What is left away stays. */
export interface TokenChanges {
  readonly usesAllowed?: number | null | undefined;
  readonly expiresTs?: number | null | undefined;
}

/** The tokens that let people register (client-server API, "Token-authenticated registration"), as administrators make them. */
export class RegistrationTokens {
  readonly #store: RegistrationTokenStore;
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;

  constructor(store: RegistrationTokenStore, clock: Clock, randomBytes: RandomBytes) {
    this.#store = store;
    this.#clock = clock;
    this.#randomBytes = randomBytes;
  }

  /** @param isValid `true`: those that can be used now; `false`: those that cannot */
  async list(isValid: boolean | undefined): Promise<readonly RegistrationToken[]> {
    const tokens = await this.#store.list();
    if (isValid === undefined) return tokens;
    return tokens.filter((token) => isUsable(token, this.#clock.nowMs()) === isValid);
  }

  find(token: string): Promise<RegistrationToken | undefined> {
    return this.#store.find(token);
  }

  /** @throws MatrixError M_NOT_FOUND */
  async get(token: string): Promise<RegistrationToken> {
    const found = await this.find(token);
    if (!found) throw new MatrixError("M_NOT_FOUND", "There is no such registration token");
    return found;
  }

  /** @throws MatrixError M_INVALID_PARAM, M_LIMIT_EXCEEDED */
  async create({ token: wished, length, usesAllowed, expiresTs }: TokenWish): Promise<RegistrationToken> {
    const token = wished ?? this.#newToken(length ?? defaultTokenLength);
    if (!/^[A-Za-z0-9._~-]{1,64}$/.test(token)) {
      throw new MatrixError("M_INVALID_PARAM", "A token has 1 to 64 characters out of A-Z a-z 0-9 . _ ~ -");
    }
    const createdTs = this.#clock.nowMs();
    this.#checkExpiry(expiresTs);
    const made = { token, usesAllowed, uses: 0, expiresTs, createdTs };
    const outcome = await this.#store.create(made, maxTokens);
    if (outcome === "exists") throw new MatrixError("M_INVALID_PARAM", "There is such a token already");
    if (outcome === "too-many") {
      throw new MatrixError("M_LIMIT_EXCEEDED", `There are ${maxTokens} tokens already: delete some`);
    }
    return made;
  }

  /** @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM */
  async update(token: string, changes: TokenChanges): Promise<RegistrationToken> {
    const { usesAllowed, expiresTs } = await this.get(token);
    const next = {
      usesAllowed: changes.usesAllowed === undefined ? usesAllowed : changes.usesAllowed,
      expiresTs: changes.expiresTs === undefined ? expiresTs : changes.expiresTs,
    };
    if (changes.expiresTs !== undefined) this.#checkExpiry(changes.expiresTs);
    await this.#store.update(token, next.usesAllowed, next.expiresTs);
    return this.get(token);
  }

  /** @throws MatrixError M_NOT_FOUND */
  async remove(token: string): Promise<void> {
    if (await this.#store.remove(token)) return;
    throw new MatrixError("M_NOT_FOUND", "There is no such registration token");
  }

  #newToken(length: number): string {
    if (length < 1 || length > maxTokenLength) {
      throw new MatrixError("M_INVALID_PARAM", `A token has 1 to ${maxTokenLength} characters`);
    }
    return this.#randomBytes(length).toString("base64url").slice(0, length);
  }

  #checkExpiry(expiresTs: number | null): void {
    if (expiresTs === null || expiresTs > this.#clock.nowMs()) return;
    throw new MatrixError(
      "M_INVALID_PARAM",
      "The expiry_time is in the past: it is in milliseconds since the epoch",
    );
  }
}
