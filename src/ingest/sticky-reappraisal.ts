import type { EventReader } from "../state/event-reader.ts";
import type { RoomIndex } from "../state/room-index.ts";
import type { StateSnapshots } from "../state/state-snapshots.ts";
import type { RoomStore } from "../storage/rooms.ts";
import type { StickyEventStore } from "../storage/sticky-events.ts";
import type { StreamChange } from "../storage/streams.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Authorisation } from "./authorisation.ts";

export interface StickyReappraisalParts {
  readonly store: Pick<StickyEventStore, "hidden" | "reveal">;
  readonly roomStore: Pick<RoomStore, "byNid">;
  readonly rooms: Pick<RoomIndex, "byNid">;
  readonly events: Pick<EventReader, "roomEvent">;
  readonly snapshots: Pick<StateSnapshots, "get">;
  readonly authorisation: Pick<Authorisation, "byState">;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * "Soft-failure checks MUST be re-evaluated when the membership state changes for a user with unexpired sticky events"
 * (MSC4354): servers that hear of the same things in another order come to agree on which events are sticky.
 */
export class StickyReappraisal implements AsyncDisposable {
  readonly #parts: StickyReappraisalParts;
  /** By room and user, each once however often it changes meanwhile. */
  readonly #waiting = new Map<string, { readonly roomNid: number; readonly userNid: number }>();
  #work: Promise<void> | undefined;

  constructor(parts: StickyReappraisalParts) {
    this.#parts = parts;
  }

  /** To be told of each commit. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { nid: userNid, membership } of changes) {
      if (!membership) continue;
      const { roomNid } = membership;
      this.#waiting.set(`${roomNid} ${userNid}`, { roomNid, userNid });
    }
    if (this.#waiting.size > 0) this.#work ??= this.#run();
  };

  /** Ends once everything has been looked at. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#work;
  }

  async #run(): Promise<void> {
    // After the commit's other followers have been told.
    await Promise.resolve();
    for (const [key, { roomNid, userNid }] of this.#waiting) {
      this.#waiting.delete(key);
      try {
        await this.#look(roomNid, userNid);
      } catch (err) {
        this.#parts.log.error({ err }, "sticky events could not be judged anew");
      }
    }
    this.#work = undefined;
  }

  async #look(roomNid: number, senderNid: number): Promise<void> {
    const { store, clock } = this.#parts;
    const hidden = await store.hidden(roomNid, senderNid, clock.nowMs());
    for (const eventNid of hidden) {
      if (await this.#isAllowed(roomNid, eventNid)) await store.reveal(eventNid);
    }
  }

  async #isAllowed(roomNid: number, eventNid: number): Promise<boolean> {
    const { roomStore, rooms, events, snapshots, authorisation } = this.#parts;
    const snapshotNid = (await roomStore.byNid(roomNid))?.currentSnapshot;
    if (snapshotNid === undefined || snapshotNid === null) return false;
    const room = await rooms.byNid(roomNid);
    const event = await events.roomEvent(eventNid);
    const lookup = (pairNid: number) => snapshots.get(snapshotNid, pairNid);
    return (await authorisation.byState(room, event, lookup)) === undefined;
  }
}
