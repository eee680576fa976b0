import type { UserId } from "../protocol/identifiers.ts";
import type { CurrentState } from "../state/current-state.ts";
import type { Room } from "../state/room-index.ts";
import { shownTypes } from "../sync/pending-rooms.ts";

/** What those outside are shown of rooms by way of other servers (client-server API, "Stripped state"). */
export class ShownState {
  readonly #state: Pick<CurrentState, "event">;

  constructor(state: Pick<CurrentState, "event">) {
    this.#state = state;
  }

  /**
   * As JSON texts.
   * @param inviter whose member event is among them
   */
  async of(room: Room, inviter?: UserId): Promise<readonly string[]> {
    const pairs: [type: string, stateKey: string][] = shownTypes.map((type) => [type, ""]);
    if (inviter !== undefined) pairs.push(["m.room.member", inviter]);
    const texts: string[] = [];
    for (const [type, stateKey] of pairs) {
      const event = await this.#state.event(room, type, stateKey);
      if (!event) continue;
      const { sender, content, pdu } = event;
      const stripped = { content, sender, state_key: stateKey, type };
      // Since room version 12 "the m.room.create event" is sent whole, so that others can tell the room by it.
      const isWhole = type === "m.room.create" && room.version.roomIdIsCreateHash;
      texts.push(JSON.stringify(isWhole ? pdu : stripped));
    }
    return texts;
  }
}
