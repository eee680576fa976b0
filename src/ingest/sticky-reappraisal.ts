import { setImmediate as nextTurn } from "node:timers/promises";
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

/** All members of a room may become known at once: so many are looked at in one turn of the event loop. */
const usersAtOnce = 500;

/**
 * "Soft-failure checks MUST be re-evaluated when the membership state changes for a user with unexpired sticky events"
 * (MSC4354): servers that hear of the same things in another order come to agree on which events are sticky.
 */
export class StickyReappraisal implements AsyncDisposable {
  readonly #parts: StickyReappraisalParts;
  /** Users by room, each once however often they change meanwhile. */
  readonly #waiting = new Map<number, Set<number>>();
  #work: Promise<void> | undefined;

  constructor(parts: StickyReappraisalParts) {
    this.#parts = parts;
  }

  /** To be told of each commit. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { nid: userNid, membership } of changes) {
      if (!membership) continue;
      const users = this.#waiting.get(membership.roomNid);
      if (users) users.add(userNid);
      else this.#waiting.set(membership.roomNid, new Set([userNid]));
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
    for (const [roomNid, users] of this.#waiting) {
      this.#waiting.delete(roomNid);
      const userNids = [...users];
      for (let start = 0; start < userNids.length; start += usersAtOnce) {
        if (start > 0) await nextTurn();
        await this.#lookAt(roomNid, userNids.slice(start, start + usersAtOnce));
      }
    }
    this.#work = undefined;
  }

  async #lookAt(roomNid: number, senderNids: readonly number[]): Promise<void> {
    const { store, clock, log } = this.#parts;
    try {
      const hidden = await store.hidden(roomNid, senderNids, clock.nowMs());
      for (const eventNid of hidden) {
        if (await this.#isAllowed(roomNid, eventNid)) await store.reveal(eventNid);
      }
    } catch (err) {
      log.error({ err }, "sticky events could not be judged anew");
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
