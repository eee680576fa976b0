import type { RoomEvent } from "../protocol/pdu.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { HeadDraft } from "./room-head.ts";

/** A room's state as the next event finds it: with what is still on its way into storage. */
export class DraftState {
  readonly #draft: HeadDraft;
  readonly #names: NameCache;
  readonly #events: EventReader;
  /** The events that somebody has asked for. */
  readonly seen = new Set<number>();

  constructor(draft: HeadDraft, names: NameCache, events: EventReader) {
    this.#draft = draft;
    this.#names = names;
    this.#events = events;
  }

  /** The state event with this type and state key, and its integer ID. */
  async entry(type: string, stateKey: string): Promise<{ nid: number; event: RoomEvent } | undefined> {
    const pairNid = await this.#names.findStatePair(type, stateKey);
    const nid = pairNid === undefined ? undefined : await this.#draft.get(pairNid);
    if (nid === undefined) return undefined;
    this.seen.add(nid);
    return { nid, event: await this.#events.roomEvent(nid) };
  }

  async event(type: string, stateKey: string): Promise<RoomEvent | undefined> {
    return (await this.entry(type, stateKey))?.event;
  }

  /** A user's membership; `undefined` for one who never had any. */
  async membership(userId: string): Promise<string | undefined> {
    const membership = (await this.event("m.room.member", userId))?.content["membership"];
    return typeof membership === "string" ? membership : undefined;
  }
}
