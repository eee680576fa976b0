import type { RoomIndex } from "../state/room-index.ts";
import type { Erasure } from "../storage/accounts.ts";
import type { StoredEvent } from "../storage/events.ts";
import type { StreamChange } from "../storage/streams.ts";
import { redactedCommon } from "./client-event.ts";
import type { RoomView } from "./room-view.ts";

/**
 * What users have said who have asked, as they left the server, for their content to be erased: "any users which join the
 * room after the erasure request are served redacted copies of the events sent by this account. Users which had visibility
 * on those events prior to the erasure are still able to see unredacted copies" (client-server API, "Account
 * deactivation").
 */
export class Erasures {
  readonly #rooms: RoomIndex;
  /** Of `m.room.member`. */
  readonly #memberTypeNid: number;
  /** When who was erased. Bounded by the accounts there are. */
  readonly #positions: Map<number, number>;

  constructor(rooms: RoomIndex, memberTypeNid: number, erased: readonly Erasure[]) {
    this.#rooms = rooms;
    this.#memberTypeNid = memberTypeNid;
    this.#positions = new Map(erased.map(({ userNid, position }) => [userNid, position]));
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, nid, position, isErased } of changes) {
      if (stream !== "erasures") continue;
      if (isErased) this.#positions.set(nid, position);
      else this.#positions.delete(nid);
    }
  };

  /** Whether any of some events is of an erased user: then it depends on the reader what they look like. */
  concern(events: readonly StoredEvent[]): boolean {
    return this.#positions.size > 0 && events.some(({ senderNid }) => this.#positions.has(senderNid));
  }

  /** Events as the reader gets to see them: those of erased users without their content. */
  async shown(
    view: Pick<RoomView, "hadSeenBy">,
    events: readonly StoredEvent[],
  ): Promise<readonly StoredEvent[]> {
    if (!this.concern(events)) return events;
    return Promise.all(events.map((event) => this.#shown(view, event)));
  }

  async #shown(view: Pick<RoomView, "hadSeenBy">, event: StoredEvent): Promise<StoredEvent> {
    const position = this.#positions.get(event.senderNid);
    // The room's state is everybody's: without it clients would show another room than there is.
    const isContent = event.pairNid === null || event.typeNid === this.#memberTypeNid;
    if (position === undefined || !isContent || event.redactedBy !== null) return event;
    if (await view.hadSeenBy(event, position)) return event;
    const { version } = await this.#rooms.byNid(event.roomNid);
    return { ...event, common: redactedCommon(version, event.common) };
  }
}
