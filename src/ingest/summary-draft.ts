import { isRoomId } from "../protocol/identifiers.ts";
import type { JsonObject } from "../protocol/json.ts";
import { isSpaceChild, type RoomFields, roomFieldsOf } from "../protocol/room-summary.ts";
import type { RoomSummaryChange } from "../storage/room-summaries.ts";

/** Collects what the events of a commit change in what their room tells of itself. Most commits change nothing there. */
export class SummaryDraft {
  #fields: Partial<RoomFields> | undefined;
  #children: Map<string, number | null> | undefined;

  /** To be told of each state event that takes its place in the room's current state, or that a redaction changes there. */
  add(
    event: { type: string; stateKey: string; content: JsonObject; sender: string | null },
    eventNid: number,
  ): void {
    const { type, stateKey, content, sender } = event;
    if (type === "m.space.child") {
      if (!isRoomId(stateKey)) return;
      this.#children ??= new Map();
      this.#children.set(stateKey, isSpaceChild(content) ? eventNid : null);
      return;
    }
    const fields = stateKey === "" ? roomFieldsOf(type, content, sender) : undefined;
    if (fields) this.#fields = { ...this.#fields, ...fields };
  }

  /** `undefined` when nothing is changed. */
  get change(): RoomSummaryChange | undefined {
    if (!this.#fields && !this.#children) return undefined;
    const children = [...(this.#children ?? [])].map(([roomId, eventNid]) => ({ roomId, eventNid }));
    return { fields: this.#fields ?? {}, children };
  }
}
