import { MatrixError } from "../protocol/matrix-error.ts";
import type { Account, AccountStore } from "../storage/accounts.ts";
import type { Clock } from "../telemetry/clock.ts";
import { addressGroup } from "./address-group.ts";
import type { PasswordHasher } from "./password-hasher.ts";
import { TokenBuckets } from "./token-buckets.ts";

/** Wrong passwords that one address may try for one account. Other addresses are not held up by them. */
const failuresForAccount = { burst: 10, perSecond: 1 / 30 };
/** Wrong passwords that one address may try in all: an office behind one address has many people. */
const failuresOfAddress = { burst: 100, perSecond: 1 / 3 };

/** Checks the passwords of accounts, and slows down who guesses them. */
export class PasswordCheck {
  readonly #accounts: AccountStore;
  readonly #hasher: PasswordHasher;
  readonly #byAccount: TokenBuckets;
  readonly #byAddress: TokenBuckets;
  readonly #limited: boolean;

  constructor(accounts: AccountStore, hasher: PasswordHasher, clock: Clock, limited: boolean) {
    this.#accounts = accounts;
    this.#hasher = hasher;
    this.#byAccount = new TokenBuckets(failuresForAccount, clock);
    this.#byAddress = new TokenBuckets(failuresOfAddress, clock);
    this.#limited = limited;
  }

  /**
   * Whether a password is that of an account. Takes as long for an account that is not there.
   * @param name what the client calls the account
   * @throws MatrixError M_LIMIT_EXCEEDED after too many failures.
   */
  async check(
    account: Account | undefined,
    name: string,
    password: string,
    address: string,
  ): Promise<boolean> {
    const group = addressGroup(address);
    const key = `${group} ${account?.userId ?? name}`;
    const passwordHash = account?.passwordHash ?? null;
    const isRight = await this.#counted(key, group, () => this.#hasher.verify(passwordHash, password));
    if (isRight && account && passwordHash !== null && (await this.#hasher.isOutdated(passwordHash))) {
      const renewed = await this.#hasher.hash(password);
      await this.#accounts.renewPasswordHash(account.userNid, passwordHash, renewed);
    }
    return isRight;
  }

  /** An attempt counts from its beginning on, so that many at once are as many, and until it turns out to be right. */
  async #counted(key: string, group: string, verify: () => Promise<boolean>): Promise<boolean> {
    if (!this.#limited) return verify();
    const waitMs = Math.max(this.#byAccount.waitMs(key), this.#byAddress.waitMs(group));
    if (waitMs > 0) {
      throw new MatrixError("M_LIMIT_EXCEEDED", "Too many wrong passwords: wait before the next attempt", {
        retry_after_ms: waitMs,
      });
    }
    this.#byAccount.take(key);
    this.#byAddress.take(group);
    let isWrong = false;
    try {
      isWrong = !(await verify());
      return !isWrong;
    } finally {
      if (!isWrong) {
        this.#byAccount.giveBack(key);
        this.#byAddress.giveBack(group);
      }
    }
  }
}
