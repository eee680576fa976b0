import { boundedCache } from "../cache/bounded-cache.ts";
import { PassingMap } from "../cache/passing-map.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { StateSnapshots } from "../state/state-snapshots.ts";
import type { CommitStore, CommittedHead, EventCommit, NewEvent, NewRoom } from "../storage/commits.ts";
import type { StoredEvent } from "../storage/events.ts";
import type { NameCache } from "../storage/name-cache.ts";
import { type Batch, discardBatch } from "./batch.ts";
import type { LocalTransaction } from "./local-event.ts";
import type { HeadDraft } from "./room-head.ts";
import type { RoomHeads } from "./room-heads.ts";

export interface RoomCommitsParts {
  readonly commits: CommitStore;
  readonly events: EventReader;
  readonly snapshots: StateSnapshots;
  readonly heads: RoomHeads;
  readonly names: Pick<NameCache, "pairsStored">;
}

/** Requests are repeated soon or never: after that, storage knows. */
const rememberedTransactions = 20_000;

/** Takes batches of events to storage, and knows which are on their way. */
export class RoomCommits {
  readonly #parts: RoomCommitsParts;
  /** Commits that are under way, by the events in them. */
  readonly #underWay = new PassingMap<number, Promise<StoredEvent[] | undefined>>();
  /** Events sent of late, by their transaction IDs. */
  readonly #transactions = boundedCache<string, number>(rememberedTransactions);

  constructor(parts: RoomCommitsParts) {
    this.#parts = parts;
  }

  /** The commit that an event is part of, while that is under way. */
  underWay(eventNid: number): Promise<StoredEvent[] | undefined> | undefined {
    return this.#underWay.get(eventNid);
  }

  /** The event on its way into storage, or there of late, that was sent under a transaction ID; see {@link transactionKey}. */
  sentUnder(key: string): number | undefined {
    return this.#transactions.get(key);
  }

  /** Starts a commit on top of a head that counts on it. */
  async track(batch: Batch): Promise<StoredEvent[] | undefined> {
    const { roomNid } = batch.draft.room;
    const done = this.commit(batch);
    const keys: string[] = [];
    for (const { eventNid, senderNid, typeNid, transaction } of batch.events) {
      this.#underWay.set(eventNid, done);
      if (!transaction) continue;
      const key = transactionKey(senderNid, transaction, roomNid, typeNid);
      this.#transactions.set(key, eventNid);
      keys.push(key);
    }
    let stored: StoredEvent[] | undefined;
    try {
      stored = await done;
      return stored;
    } finally {
      this.#parts.heads.committed(roomNid, stored !== undefined);
      for (const { eventNid } of batch.events) this.#underWay.delete(eventNid);
      if (!stored) for (const key of keys) this.#transactions.delete(key);
    }
  }

  /**
   * Stores a batch.
   * @returns `undefined` when nothing was stored; see `CommitStore`
   */
  async commit(batch: Batch, newRoom?: NewRoom): Promise<StoredEvent[] | undefined> {
    const { draft, events, pairs, snapshots, memberships, summary } = batch;
    const commit: EventCommit = {
      roomNid: draft.room.roomNid,
      newRoom,
      events,
      pairs,
      snapshots,
      // A room of which all that has come has been rejected has no head.
      head: draft.snapshotNid === null ? undefined : committedHead(draft, draft.snapshotNid),
      memberships,
      filledGap: batch.filledGap,
      summary: summary.change,
    };
    try {
      const positions = await this.#parts.commits.commit(commit);
      if (positions) return this.#report(batch, positions);
      this.discard(batch);
      return undefined;
    } catch (error) {
      this.discard(batch);
      throw error;
    }
  }

  /** Forgets a batch that will not be stored. */
  discard(batch: Batch): void {
    discardBatch(batch, this.#parts.snapshots, this.#parts.events);
  }

  /** Makes what has been committed readable from memory. */
  #report({ events, pairs, snapshots }: Batch, positions: readonly (number | null)[]): StoredEvent[] {
    this.#parts.names.pairsStored(pairs);
    this.#parts.snapshots.settled(snapshots, true);
    return events.map((event, index) => {
      const stored = storedEvent(event, positions[index] ?? null);
      if (event.redaction) this.#parts.events.forget(event.redaction.targetNid);
      this.#parts.events.settled(event.eventNid, stored);
      if (event.lateRedaction) this.#parts.events.forget(event.eventNid);
      return stored;
    });
  }
}

/** What a draft becomes once it is stored. */
export function committedHead(
  { extremities, stateEventsAdded }: HeadDraft,
  currentSnapshot: number,
): CommittedHead {
  return { extremities: extremities.map(({ eventNid }) => eventNid), currentSnapshot, stateEventsAdded };
}

/** What is read of an event once it is stored. */
function storedEvent(event: NewEvent, position: number | null): StoredEvent {
  return {
    eventNid: event.eventNid,
    eventId: event.eventId,
    roomNid: event.roomNid,
    position,
    typeNid: event.typeNid,
    pairNid: event.pairNid,
    senderNid: event.senderNid,
    depth: event.depth,
    originServerTs: event.originServerTs,
    stateBefore: event.stateBefore,
    stateAfter: event.stateAfter,
    roomState: event.roomState,
    flags: event.flags,
    redactedBy: null,
    replaces: event.replaces,
    delayId: event.delayId,
    common: event.common,
    federation: event.federation,
  };
}

/** The one name of what makes a send the repetition of another; see `SendTransaction`. */
export function transactionKey(
  userNid: number,
  { deviceId, id, targetId = "" }: LocalTransaction,
  roomNid: number,
  typeNid: number,
): string {
  return `${userNid} ${roomNid} ${typeNid} ${deviceId.length} ${id.length} ${deviceId}${id}${targetId}`;
}
