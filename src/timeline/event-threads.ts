import type { StoredEvent } from "../storage/events.ts";
import { mainThread } from "../storage/receipts.ts";
import type { RelationStore } from "../storage/relations.ts";

/** "Implementations should not recurse infinitely, though: a maximum of 3 hops is recommended". */
const maxHops = 3;

/** Finds out which thread events are in (client-server API, "Threaded read receipts"). */
export class EventThreads {
  readonly #relations: Pick<RelationStore, "parents" | "isThreadRoot">;

  constructor(relations: Pick<RelationStore, "parents" | "isThreadRoot">) {
    this.#relations = relations;
  }

  /** The event ID of the thread's root, or `main` for an event that is in no thread. */
  async of(event: StoredEvent): Promise<string> {
    // Nearly all events relate to nothing.
    if (!event.common.includes('"m.relates_to"')) return mainThread;
    const parents = await this.#relations.parents(event.eventNid, maxHops);
    return parents.find(({ relation }) => relation === "m.thread")?.targetId ?? mainThread;
  }

  /**
   * Whether a threaded receipt may name an event. The root of a thread, and what relates to it, is on the main timeline;
   * but clients show it at the top of its thread too, and whoever has read only that has it to name.
   * @param thread the event ID of a thread's root, or `main`
   */
  async mayBeReadIn(thread: string, event: StoredEvent): Promise<boolean> {
    const own = await this.of(event);
    if (own === thread) return true;
    if (own !== mainThread || thread === mainThread) return false;
    const parents = await this.#relations.parents(event.eventNid, maxHops);
    const line = [event.eventId, ...parents.map(({ targetId }) => targetId)];
    return line.includes(thread) && this.#relations.isThreadRoot(event.roomNid, thread);
  }
}
