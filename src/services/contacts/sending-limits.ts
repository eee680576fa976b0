import { TokenBuckets } from "../../auth/token-buckets.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { ContactAddress } from "../../storage/contacts.ts";
import type { Clock } from "../../telemetry/clock.ts";

/** Messages that one address gets: nobody can use the server to flood a stranger. */
const toAddress = { burst: 5, perSecond: 1 / 600 };
/** Messages that one client, or one user, has sent. A whole office may be behind a client's address. */
const fromSender = { burst: 30, perSecond: 1 / 60 };

/** Bounds how many messages go out on request. */
export class SendingLimits {
  readonly #toAddress: TokenBuckets;
  readonly #fromSender: TokenBuckets;
  readonly #limited: boolean;

  constructor(clock: Clock, limited: boolean) {
    this.#toAddress = new TokenBuckets(toAddress, clock);
    this.#fromSender = new TokenBuckets(fromSender, clock);
    this.#limited = limited;
  }

  /**
   * Counts one message.
   * @param sender who has it sent: the address of a client, or a user
   * @throws MatrixError M_LIMIT_EXCEEDED
   */
  take({ medium, address }: ContactAddress, sender: string): void {
    if (!this.#limited) return;
    const recipient = `${medium} ${address}`;
    const waitMs = Math.max(this.#fromSender.waitMs(sender), this.#toAddress.waitMs(recipient));
    if (waitMs > 0) {
      throw new MatrixError("M_LIMIT_EXCEEDED", "Too many messages have been asked for: wait a while", {
        retry_after_ms: waitMs,
      });
    }
    this.#fromSender.take(sender);
    this.#toAddress.take(recipient);
  }
}
