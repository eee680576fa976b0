import { isRoomId } from "../protocol/identifiers.ts";
import type { JsonObject } from "../protocol/json.ts";
import { isSpaceChild, type RoomSummaryFields, summaryFieldsOf } from "../protocol/room-summary.ts";
import type { RoomSummaryChange } from "../storage/room-summaries.ts";

/** Collects what the events of a commit change in what their room tells of itself. */
export class SummaryDraft {
  #fields: Partial<RoomSummaryFields> = {};
  readonly #children = new Map<string, number | null>();
  #isChanged = false;

  /** To be told of each state event that takes its place in the room's current state, or that a redaction changes there. */
  add(
    { type, stateKey, content }: { type: string; stateKey: string; content: JsonObject },
    eventNid: number,
  ): void {
    if (type === "m.space.child") {
      if (!isRoomId(stateKey)) return;
      this.#children.set(stateKey, isSpaceChild(content) ? eventNid : null);
      this.#isChanged = true;
      return;
    }
    const fields = stateKey === "" ? summaryFieldsOf(type, content) : undefined;
    if (!fields) return;
    this.#fields = { ...this.#fields, ...fields };
    this.#isChanged = true;
  }

  /** `undefined` when nothing is changed. */
  get change(): RoomSummaryChange | undefined {
    if (!this.#isChanged) return undefined;
    const children = [...this.#children].map(([roomId, eventNid]) => ({ roomId, eventNid }));
    return { fields: this.#fields, children };
  }
}
