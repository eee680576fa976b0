import { availableParallelism } from "node:os";
import { Turns } from "../concurrency/turns.ts";
import type { Clock } from "../telemetry/clock.ts";

export interface HashingCost {
  readonly memoryKib: number;
  readonly passes: number;
}

const turnLimits = {
  /** Each hash at work takes its memory and one core; the other threads of the pool are left to files and names. */
  maxAtWork: Math.max(1, Math.min(3, availableParallelism() - 1)),
  maxWaiting: 200,
  refusal: "Too many people are logging in: try again in a moment",
};

/** Machine code, loaded for the first password. */
const argon2 = () => import("@node-rs/argon2");

/** Hashes and checks passwords with argon2id, off the main thread and not too many at once. */
export class PasswordHasher {
  readonly #cost: { readonly memoryCost: number; readonly timeCost: number };
  readonly #turns: Turns;
  /** What the password of nobody is compared with, so that an unknown user takes as long as a known one. */
  #decoy: string | undefined;

  constructor({ memoryKib, passes }: HashingCost, clock: Clock) {
    this.#cost = { memoryCost: memoryKib, timeCost: passes };
    this.#turns = new Turns(turnLimits, clock);
  }

  /**
   * The hash in PHC format, salted.
   * @throws MatrixError M_LIMIT_EXCEEDED when too many passwords wait to be hashed.
   */
  hash(password: string): Promise<string> {
    return this.#turns.run(async () => (await argon2()).hash(password, this.#cost));
  }

  /**
   * Whether a password is the one that was hashed. Without a hash the answer is no, after the same time.
   * @throws MatrixError M_LIMIT_EXCEEDED when too many passwords wait to be checked.
   */
  async verify(passwordHash: string | null, password: string): Promise<boolean> {
    if (passwordHash === null) {
      await this.#turns.run(async () => (await argon2()).verify(await this.#madeDecoy(), password));
      return false;
    }
    return this.#turns.run(async () => (await argon2()).verify(passwordHash, password));
  }

  async #madeDecoy(): Promise<string> {
    this.#decoy ??= await (await argon2()).hash("", this.#cost);
    return this.#decoy;
  }

  /** Whether a hash was made at another cost than today's. */
  async isOutdated(passwordHash: string): Promise<boolean> {
    const { memoryCost, timeCost } = (await argon2()).parseOptions(passwordHash);
    return memoryCost !== this.#cost.memoryCost || timeCost !== this.#cost.timeCost;
  }
}
