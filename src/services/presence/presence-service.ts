import type { Requester } from "../../auth/requester.ts";
import type { UserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { PresenceState } from "../../storage/presence.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { presenceContent } from "./presence-content.ts";
import type { Presence } from "./presence.ts";

/** What users say of their presence, and ask of that of others (client-server API, "Presence"). */
export class PresenceService {
  readonly #presence: Presence;
  readonly #memberships: Pick<MembershipStore, "shareRoom">;
  readonly #names: NameCache;
  readonly #clock: Clock;

  constructor(
    presence: Presence,
    memberships: Pick<MembershipStore, "shareRoom">,
    names: NameCache,
    clock: Clock,
  ) {
    this.#presence = presence;
    this.#memberships = memberships;
    this.#names = names;
    this.#clock = clock;
  }

  /** Sets how the requester is seen. A status message stays until it is set anew, `null` for none. */
  set({ userNid, deviceId }: Requester, state: PresenceState, statusMessage: string | null): Promise<void> {
    return this.#presence.set(userNid, deviceId, state, statusMessage);
  }

  /**
   * How a user is seen.
   * @throws MatrixError M_FORBIDDEN for somebody with whom the requester shares no room, whether they exist or not
   */
  async look(requester: Requester, userId: UserId): Promise<object> {
    const userNid = await this.#names.findUser(userId);
    if (userNid === undefined || !(await this.#mayLook(requester.userNid, userNid))) {
      throw new MatrixError("M_FORBIDDEN", `You share no room with ${userId}`);
    }
    const seen = await this.#presence.of(userNid);
    return seen ? presenceContent(seen, this.#clock.nowMs()) : { presence: "offline" };
  }

  async #mayLook(requesterNid: number, userNid: number): Promise<boolean> {
    return requesterNid === userNid || this.#memberships.shareRoom(requesterNid, userNid);
  }
}
