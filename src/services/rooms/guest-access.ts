import type { ActingUser } from "../../auth/requester.ts";
import type { DraftState } from "../../ingest/draft-state.ts";
import type { LocalEvent } from "../../ingest/local-event.ts";
import type { RoomWriter } from "../../ingest/room-writer.ts";
import type { UserId } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { CurrentState } from "../../state/current-state.ts";
import type { Room } from "../../state/room-index.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";

export interface GuestAccessParts {
  readonly writer: RoomWriter;
  readonly state: CurrentState;
  readonly memberships: Pick<MembershipStore, "joinedGuestNids">;
  readonly names: NameCache;
}

/** The state event that lets guests in. */
export const guestAccessType = "m.room.guest_access";
/** Guests who leave a room together. */
const guestsAtOnce = 100;

/** Which rooms guests may be in (client-server API, "Guest Access"). */
export class GuestAccess {
  readonly #parts: GuestAccessParts;

  constructor(parts: GuestAccessParts) {
    this.#parts = parts;
  }

  /** @throws MatrixError M_GUEST_ACCESS_FORBIDDEN for a guest in front of a room that takes none */
  async check(requester: ActingUser, room: Room): Promise<void> {
    if (!requester.isGuest) return;
    const event = await this.#parts.state.event(room, guestAccessType, "");
    if (event && letsGuestsIn(event.content)) return;
    throw new MatrixError("M_GUEST_ACCESS_FORBIDDEN", "This room does not let guests in");
  }

  /**
   * Sends a room's guest access. "If the event is changed to stop this from being the case, the server MUST set those
   * users' m.room.member state to leave."
   * @returns the event's ID
   */
  async change(room: Room, event: LocalEvent): Promise<string> {
    const { writer } = this.#parts;
    if (letsGuestsIn(event.content)) return (await writer.sendOne(room, event)).eventId;
    const sent = await writer.decide(room, async (state) => [
      event,
      ...(await this.#departures(room, state)),
    ]);
    let left = sent.length - 1;
    while (left > 0) left = (await writer.decide(room, (state) => this.#departures(room, state))).length;
    return sent[0]?.eventId ?? "";
  }

  async #departures(room: Room, state: DraftState): Promise<LocalEvent[]> {
    const events: LocalEvent[] = [];
    for (const userNid of await this.#parts.memberships.joinedGuestNids(room.roomNid, guestsAtOnce)) {
      const userId = (await this.#parts.names.userId(userNid)) as UserId;
      if ((await state.membership(userId)) !== "join") continue;
      const content = { membership: "leave", reason: "The room takes no guests any more" };
      events.push({ type: "m.room.member", stateKey: userId, sender: userId, content });
    }
    return events;
  }
}

function letsGuestsIn(content: JsonObject): boolean {
  return content["guest_access"] === "can_join";
}
