import { parseRoomId, parseUserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { AccountStore } from "../../storage/accounts.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { LocalUser } from "../local-user.ts";
import type { InviteRedemption, SignedInvite } from "./redemption.ts";

/** An invitation that has waited for somebody to prove an address, as an identity server tells of it. */
export interface WaitingInvite {
  readonly mxid: string;
  readonly roomId: string;
  readonly sender: string;
  readonly signed: SignedInvite;
}

/** Each may be another server's to redeem. */
const invitesAtOnce = 5;

/** Takes the news of identity servers that users of this server have addresses (server-server API, `3pid/onbind`). */
export class AddressBindings {
  readonly #accounts: Pick<AccountStore, "find">;
  readonly #names: Pick<NameCache, "internUser">;
  readonly #redemption: InviteRedemption;

  constructor(
    accounts: Pick<AccountStore, "find">,
    names: Pick<NameCache, "internUser">,
    redemption: InviteRedemption,
  ) {
    this.#accounts = accounts;
    this.#names = names;
    this.#redemption = redemption;
  }

  /**
   * Has the user invited wherever they were waited for.
   * @throws MatrixError M_NOT_FOUND for a user who is not there; what has kept one of the invites back, once the others
   *   are through
   */
  async bound(mxid: string, invites: readonly WaitingInvite[]): Promise<void> {
    const user = await this.#userOf(mxid);
    const failures: unknown[] = [];
    for (let start = 0; start < invites.length; start += invitesAtOnce) {
      const some = invites.slice(start, start + invitesAtOnce);
      const outcomes = await Promise.allSettled(some.map((invite) => this.#redeem(user, invite)));
      for (const outcome of outcomes) if (outcome.status === "rejected") failures.push(outcome.reason);
    }
    if (failures.length > 0) throw failures[0];
  }

  async #userOf(mxid: string): Promise<LocalUser> {
    const userId = parseUserId(mxid);
    const account = userId && (await this.#accounts.find(userId));
    if (!account || account.isDeactivated) {
      throw new MatrixError("M_NOT_FOUND", "There is no such user on this server");
    }
    return { userId: account.userId, userNid: await this.#names.internUser(account.userId) };
  }

  async #redeem(user: LocalUser, { mxid, roomId, sender, signed }: WaitingInvite): Promise<void> {
    const room = parseRoomId(roomId);
    const inviter = parseUserId(sender);
    if (room === undefined || inviter === undefined || mxid !== user.userId) {
      throw new MatrixError(
        "M_INVALID_PARAM",
        "An invite needs a room, a sender and the user who has the address",
      );
    }
    await this.#redemption.redeemAnywhere(room, user, inviter, signed);
  }
}
