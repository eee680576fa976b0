import { Rounds } from "../../concurrency/rounds.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { RoomIndex } from "../../state/room-index.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { RedeemableInvite, ThirdPartyInviteStore } from "../../storage/third-party-invites.ts";
import type { UserId } from "../../protocol/identifiers.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { InviteKeys } from "./invite-keys.ts";
import type { InviteRedemption, SignedInvite } from "./redemption.ts";

export interface InviteRedeemerParts {
  readonly store: ThirdPartyInviteStore;
  readonly keys: InviteKeys;
  readonly redemption: InviteRedemption;
  readonly rooms: RoomIndex;
  readonly names: NameCache;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Invites those who have proved an address to the rooms that it was invited to, in the background. */
export class InviteRedeemer implements AsyncDisposable {
  readonly #parts: InviteRedeemerParts;
  readonly #rounds: Rounds;

  constructor(parts: InviteRedeemerParts) {
    this.#parts = parts;
    this.#rounds = new Rounds(() => this.#redeemAll(), parts.clock);
  }

  /** To be called at the start, and whenever an address has come into an account. */
  begin(): void {
    this.#rounds.begin();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rounds[Symbol.asyncDispose]();
  }

  async #redeemAll(): Promise<void> {
    try {
      for (const invite of await this.#parts.store.redeemable()) {
        if (this.#rounds.isClosed) break;
        await this.#redeem(invite);
      }
    } catch (error) {
      this.#parts.log.error({ err: error }, "invitations by e-mail wait for the next attempt");
    }
  }

  /** What the rules refuse now they will refuse later: the inviter may have withdrawn it, or the room banned the user. */
  async #redeem({ token, roomNid, userNid }: RedeemableInvite): Promise<void> {
    const { store, keys, redemption, rooms, names, log } = this.#parts;
    const room = await rooms.byNid(roomNid);
    const userId = (await names.userId(userNid)) as UserId;
    try {
      await redemption.redeem(room, { userNid, userId }, keys.sign(token, userId) as SignedInvite, false);
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      log.info({ err: error, userId, roomId: room.roomId }, "an invitation by e-mail was not good any more");
    }
    await store.remove(token);
  }
}
