import type { ActingUser } from "../../auth/requester.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { AccountStore } from "../../storage/accounts.ts";
import type { DelayedEvent } from "../../storage/delayed-events.ts";
import type { RoomSending } from "../rooms/room-sending.ts";

export interface DelayedSendingParts {
  readonly accounts: Pick<AccountStore, "findByNid">;
  readonly sending: Pick<RoomSending, "message" | "state">;
  /** Counts an event of a user. @throws MatrixError M_LIMIT_EXCEEDED */
  readonly limit: (user: ActingUser) => void;
}

/** Sends delayed events in the name of those who scheduled them, who need not be there any more. */
export class DelayedSending {
  readonly #parts: DelayedSendingParts;

  constructor(parts: DelayedSendingParts) {
    this.#parts = parts;
  }

  /**
   * Sends a delayed event as if its user had sent it now.
   * @returns the ID of the event
   * @throws MatrixError why the user may not send it
   */
  async send({
    delayId,
    userNid,
    deviceId,
    roomId,
    type,
    stateKey,
    ...event
  }: DelayedEvent): Promise<string> {
    const user = await this.#user(userNid, deviceId, event.isUnlimited === 1);
    this.#parts.limit(user);
    const content = JSON.parse(event.content) as JsonObject;
    const options = {
      delayId,
      stickyDurationMs: event.stickyDurationMs ?? undefined,
      originServerTs: event.originServerTs ?? undefined,
    };
    const { sending } = this.#parts;
    return stateKey === null
      ? sending.message(user, roomId, type, content, options)
      : sending.state(user, roomId, type, stateKey, content, options);
  }

  async #user(userNid: number, deviceId: string, isUnlimited: boolean): Promise<ActingUser> {
    const account = await this.#parts.accounts.findByNid(userNid);
    if (!account || account.isDeactivated) {
      throw new MatrixError(
        "M_USER_DEACTIVATED",
        "The account that scheduled this event has been deactivated",
      );
    }
    if (account.isLocked) throw new MatrixError("M_USER_LOCKED", "This account has been locked");
    const { userId, isGuest, isAdmin, isSuspended, appserviceId } = account;
    return {
      userNid,
      userId,
      deviceId,
      isGuest,
      isAdmin,
      isSuspended,
      isUnlimited,
      ...(appserviceId !== null && { appserviceId }),
    };
  }
}
