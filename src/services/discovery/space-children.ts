import type { UserId } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { RoomSummary, RoomSummaryStore } from "../../storage/room-summaries.ts";

/** A room that is part of a space, by the space's `m.space.child` event. */
export interface SpaceChild {
  readonly roomId: string;
  readonly sender: UserId;
  readonly content: JsonObject;
  readonly originServerTs: number;
}

/** A space's further children are not shown. */
export const maxChildren = 1_000;
/** Client-server API, "m.space.child": printable ASCII, at most 50 characters. */
const orderGrammar = /^[\x20-\x7e]{0,50}$/;

/** Reads the children of spaces. */
export class SpaceChildren {
  readonly #store: RoomSummaryStore;
  readonly #events: EventReader;

  constructor(store: RoomSummaryStore, events: EventReader) {
    this.#store = store;
    this.#events = events;
  }

  /** In the order of "Ordering of children within a space"; none for a room that is no space. */
  async of({ roomNid, roomType }: RoomSummary, suggestedOnly: boolean): Promise<SpaceChild[]> {
    if (roomType !== "m.space") return [];
    const nids = await this.#store.childEventNids(roomNid, maxChildren);
    return orderedChildren((await this.#events.roomEvents(nids)).map(childOf), suggestedOnly);
  }
}

/** Children in order, or those only that the space suggests. */
export function orderedChildren(children: readonly SpaceChild[], suggestedOnly: boolean): SpaceChild[] {
  return children.filter(({ content }) => !suggestedOnly || content["suggested"] === true).toSorted(inOrder);
}

/** The servers that a space names for a child, unchecked. */
export function viaOf({ content: { via } }: SpaceChild): readonly string[] {
  return Array.isArray(via) ? via.filter((server) => typeof server === "string") : [];
}

function childOf({ stateKey = "", sender, content, originServerTs }: RoomEvent): SpaceChild {
  return { roomId: stateKey, sender, content, originServerTs };
}

function inOrder(a: SpaceChild, b: SpaceChild): number {
  const [left, right] = [orderOf(a), orderOf(b)];
  if (left !== undefined && right !== undefined && left !== right) return left < right ? -1 : 1;
  if ((left === undefined) !== (right === undefined)) return left === undefined ? 1 : -1;
  if (a.originServerTs !== b.originServerTs) return a.originServerTs - b.originServerTs;
  return a.roomId < b.roomId ? -1 : 1;
}

function orderOf({ content: { order } }: SpaceChild): string | undefined {
  return typeof order === "string" && orderGrammar.test(order) ? order : undefined;
}
