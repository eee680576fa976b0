import type { JobKind, JobPart, JobStep } from "../jobs/job-kind.ts";
import type { JobRunner } from "../jobs/job-runner.ts";
import type { UserId } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { Room, RoomIndex } from "../state/room-index.ts";
import type { EventStore } from "../storage/events.ts";
import type { HistoryPurgeStore } from "../storage/history-purges.ts";
import type { EventReader } from "../state/event-reader.ts";

/** Up to where the history of a room is to go. */
export type PurgeEnd =
  /** Events before this one. */
  | { readonly eventId: string }
  /** Events up to a moment, in milliseconds since the Unix epoch. */
  | { readonly ts: number };

export interface HistoryPurgeParts {
  readonly store: HistoryPurgeStore;
  readonly rooms: Pick<RoomIndex, "find">;
  readonly eventStore: Pick<EventStore, "nidOf">;
  readonly events: Pick<EventReader, "stored">;
}

/** How a purge was asked for; JSON. */
interface Wish {
  /** Events before this position go. */
  readonly position: number;
  readonly keepsLocal: boolean;
}

/** How far a purge is; JSON. */
interface Progress {
  /** Events to take away; `null` before they have been counted. */
  readonly total: number | null;
  /** The event that was last looked at for what it follows, by position; `null` while events are taken away. */
  readonly lookedUpTo: number | null;
}

const nothingDone: Progress = { total: null, lookedUpTo: null };
/** Takes some ten milliseconds of the writer's time. */
const removedAtOnce = 100;
const lookedAtOnce = 500;

export const purgeHistoryJob = "purge-history";

/**
 * Takes the older part of a room's history out of the database. State stays, so that the room goes on as it is; so do, unless
 * they are to go as well, messages of this server's users, though no client sees them any more.
 */
export class HistoryPurge implements JobKind {
  readonly kind = purgeHistoryJob;
  readonly #parts: HistoryPurgeParts;

  constructor(parts: HistoryPurgeParts) {
    this.#parts = parts;
  }

  /**
   * Begins to purge a room's history. The ends of its graph always stay, and what came after them.
   * @param author the administrator
   * @returns the job's ID
   * @throws MatrixError M_NOT_FOUND for an unknown room or event, or when there is nothing to purge, M_INVALID_PARAM for an
   *   event of another room; as `JobRunner.start`
   */
  async begin(
    jobs: JobRunner,
    roomId: string,
    end: PurgeEnd,
    keepsLocal: boolean,
    author: UserId,
  ): Promise<string> {
    const { store } = this.#parts;
    const room = await this.#parts.rooms.find(roomId);
    if (!room) throw new MatrixError("M_NOT_FOUND", `This server does not know the room ${roomId}`);
    const wanted =
      "ts" in end ? await store.firstAfter(room.roomNid, end.ts) : await this.#positionOf(room, end.eventId);
    const position = await store.oldestKept(room.roomNid, wanted ?? Number.MAX_SAFE_INTEGER);
    if (position === undefined || (await store.countBefore(room.roomNid, position)) === 0) {
      throw new MatrixError("M_NOT_FOUND", "There are no events to purge before that");
    }
    return jobs.start(this.kind, roomId, { position, keepsLocal }, author);
  }

  async step({ subject: roomId, params, cursor, doneCount }: JobPart): Promise<JobStep> {
    const { store, rooms } = this.#parts;
    const { position, keepsLocal } = params as unknown as Wish;
    const progress = { ...nothingDone, ...(cursor as Partial<Progress> | null) };
    const room = await rooms.find(roomId);
    // It has been deleted meanwhile, and its history with it.
    if (!room) return ended(progress, doneCount);
    const { roomNid } = room;
    if (progress.total === null) {
      const total = await store.countBefore(roomNid, position);
      await store.begin(roomNid, position);
      return going({ ...progress, total }, 0);
    }
    if (progress.lookedUpTo !== null)
      return this.#look(roomNid, position, progress.lookedUpTo, progress, doneCount);
    const { eventCount, isDone } = await store.removePart(roomNid, position, keepsLocal, removedAtOnce);
    const done = doneCount + eventCount;
    return going(isDone ? { ...progress, lookedUpTo: position - 1 } : progress, done);
  }

  /** What follows an event that has gone tells later which events to ask other servers for. */
  async #look(
    roomNid: number,
    position: number,
    lookedUpTo: number,
    progress: Progress,
    doneCount: number,
  ): Promise<JobStep> {
    const { store } = this.#parts;
    const { eventNids, next } = await store.followers(roomNid, lookedUpTo, lookedAtOnce);
    if (eventNids.length > 0) await store.addFollowers(roomNid, position, eventNids);
    if (next === null) return ended(progress, doneCount);
    return going({ ...progress, lookedUpTo: next }, doneCount);
  }

  /** @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM */
  async #positionOf({ roomId, roomNid }: Room, eventId: string): Promise<number> {
    const eventNid = await this.#parts.eventStore.nidOf(eventId);
    const event = eventNid === undefined ? undefined : await this.#parts.events.stored(eventNid);
    if (!event) throw new MatrixError("M_NOT_FOUND", `There is no event ${eventId}`);
    if (event.roomNid !== roomNid)
      throw new MatrixError("M_INVALID_PARAM", `${eventId} is not an event of ${roomId}`);
    if (event.position !== null) return event.position;
    throw new MatrixError("M_NOT_FOUND", `${eventId} is not in the timeline of ${roomId}`);
  }
}

function going(progress: Progress, doneCount: number): JobStep {
  return { cursor: { ...progress }, doneCount, totalCount: progress.total };
}

function ended(progress: Progress, doneCount: number): JobStep {
  return { ...going(progress, doneCount), result: {} };
}
