import type { UserId } from "../protocol/identifiers.ts";
import type { CurrentState } from "../state/current-state.ts";
import type { Room } from "../state/room-index.ts";
import { shownTypes } from "../sync/pending-rooms.ts";

/** What those outside are shown of rooms by way of other servers (server-server API, "Inviting to a room", "Knocking upon a room"). */
export class ShownState {
  readonly #state: Pick<CurrentState, "event">;

  constructor(state: Pick<CurrentState, "event">) {
    this.#state = state;
  }

  /**
   * Whole events, as JSON texts: "MUST contain the `m.room.create` event for the room. All events listed MUST additionally
   * be formatted according to the room version specification." The other server makes stripped state of them.
   * @param inviter whose member event is among them
   */
  async of(room: Room, inviter?: UserId): Promise<readonly string[]> {
    const pairs: [type: string, stateKey: string][] = shownTypes.map((type) => [type, ""]);
    if (inviter !== undefined) pairs.push(["m.room.member", inviter]);
    const texts: string[] = [];
    for (const [type, stateKey] of pairs) {
      const event = await this.#state.event(room, type, stateKey);
      if (event) texts.push(JSON.stringify(event.pdu));
    }
    return texts;
  }
}
