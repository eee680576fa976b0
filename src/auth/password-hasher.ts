import { availableParallelism } from "node:os";
import { hash, parseOptions, verify } from "@node-rs/argon2";
import { MatrixError } from "../protocol/matrix-error.ts";

export interface HashingCost {
  readonly memoryKib: number;
  readonly passes: number;
}

/** Each hash at work takes its memory and one core; the other threads of the pool are left to files and names. */
const maxAtWork = Math.max(1, Math.min(3, availableParallelism() - 1));
const maxWaiting = 200;
const retryAfterMs = 5_000;

/** Hashes and checks passwords with argon2id, off the main thread and not too many at once. */
export class PasswordHasher {
  readonly #cost: { readonly memoryCost: number; readonly timeCost: number };
  readonly #waiting: (() => void)[] = [];
  #atWork = 0;
  /** What the password of nobody is compared with, so that an unknown user takes as long as a known one. */
  #decoy: string | undefined;

  constructor({ memoryKib, passes }: HashingCost) {
    this.#cost = { memoryCost: memoryKib, timeCost: passes };
  }

  /**
   * The hash in PHC format, salted.
   * @throws MatrixError M_LIMIT_EXCEEDED when too many passwords wait to be hashed.
   */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => hash(password, this.#cost));
  }

  /**
   * Whether a password is the one that was hashed. Without a hash the answer is no, after the same time.
   * @throws MatrixError M_LIMIT_EXCEEDED when too many passwords wait to be checked.
   */
  async verify(passwordHash: string | null, password: string): Promise<boolean> {
    if (passwordHash === null) {
      await this.#inTurn(async () => verify(await this.#madeDecoy(), password));
      return false;
    }
    return this.#inTurn(() => verify(passwordHash, password));
  }

  async #madeDecoy(): Promise<string> {
    this.#decoy ??= await hash("", this.#cost);
    return this.#decoy;
  }

  /** Whether a hash was made at another cost than today's. */
  isOutdated(passwordHash: string): boolean {
    const { memoryCost, timeCost } = parseOptions(passwordHash);
    return memoryCost !== this.#cost.memoryCost || timeCost !== this.#cost.timeCost;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#atWork >= maxAtWork) await this.#turn();
    else this.#atWork += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#atWork -= 1;
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= maxWaiting) {
      throw new MatrixError("M_LIMIT_EXCEEDED", "Too many people are logging in: try again in a moment", {
        retry_after_ms: retryAfterMs,
      });
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
