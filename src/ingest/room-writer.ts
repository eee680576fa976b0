import { isDeepStrictEqual } from "node:util";
import { roomIdOfCreateEvent } from "../protocol/event-hash.ts";
import type { EventId, RoomId } from "../protocol/identifiers.ts";
import type { BuiltEvent } from "../protocol/event-builder.ts";
import type { JsonObject } from "../protocol/json.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { RoomVersion } from "../protocol/room-versions.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { Room, RoomIndex } from "../state/room-index.ts";
import type { RoomListing } from "../storage/commits.ts";
import { StorageError } from "../storage/errors.ts";
import type { EventStore, StoredEvent } from "../storage/events.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { BatchBuilder } from "./batch.ts";
import { DraftState } from "./draft-state.ts";
import type { LocalEvent, LocalEventMaker, LocalTransaction } from "./local-event.ts";
import { type RoomCommits, transactionKey } from "./room-commits.ts";
import { HeadDraft } from "./room-head.ts";
import type { RoomHeads } from "./room-heads.ts";
import type { RoomQueues } from "./room-queues.ts";

export interface RoomWriterParts {
  readonly commits: RoomCommits;
  readonly eventStore: EventStore;
  readonly events: EventReader;
  readonly names: NameCache;
  readonly rooms: RoomIndex;
  readonly heads: RoomHeads;
  readonly queues: RoomQueues<number>;
  readonly batches: BatchBuilder;
  readonly maker: LocalEventMaker;
  readonly nextRoomNid: () => number;
}

/** Inside an object, so that nobody who waits for the building waits for the commit as well. */
interface CommitUnderWay {
  /**
   * `undefined` when an event before these, on which they were built, could not be stored, or storage has what was sent
   * under their transaction ID.
   */
  readonly done: Promise<StoredEvent[] | undefined>;
}

/** Decides on what to send by the state that it will find: nothing else comes in between. */
export type Decision = (state: DraftState) => Promise<readonly LocalEvent[]>;

/** How often events are built anew because those before them, on which they were built, could not be stored. */
const maxAttempts = 3;

/**
 * The one way for events of this server's users into a room's graph. Events of one room are built in order, each on the
 * one before and without waiting for that one's commit; a caller has its answer after the commit.
 */
export class RoomWriter {
  readonly #parts: RoomWriterParts;

  constructor(parts: RoomWriterParts) {
    this.#parts = parts;
  }

  /**
   * Creates a room with its first events, all or none. The first is the create event.
   * @param roomId absent where the create event's hash is the room's ID
   * @throws MatrixError when the rules refuse one of the events; M_ROOM_IN_USE when the room's alias is taken
   */
  create(
    version: RoomVersion,
    roomId: RoomId | undefined,
    events: readonly LocalEvent[],
    listing?: RoomListing,
  ): Promise<Room> {
    const roomNid = this.#parts.nextRoomNid();
    return this.#parts.queues.run(roomNid, async () => {
      // The ID is not looked at before the create event, from which it may come, is there.
      const room = { roomNid, roomId: roomId ?? ("" as RoomId), version };
      const draft = new HeadDraft(this.#parts.heads.empty(room));
      const batch = await this.#parts.batches.build(draft, events, roomId);
      const newRoomId = roomId ?? roomIdOfCreateEvent(batch.events[0]?.eventId as EventId);
      const stored = await this.#parts.commits.commit(batch, {
        roomId: newRoomId,
        version: version.id,
        listing,
      });
      // A room's first events follow nothing but each other, so it can only be this.
      if (!stored) throw new MatrixError("M_ROOM_IN_USE", `${listing?.alias?.name} is taken`);
      return this.#parts.rooms.byNid(roomNid);
    });
  }

  /**
   * Sends events to a room, all or none.
   * @returns the events as stored, once they are on disk. An event that only repeats an earlier one (by its transaction
   * ID, or because it sets the state to what it is) is that earlier one.
   * @throws MatrixError when the rules refuse one of them
   * @throws StorageError
   */
  send(room: Room, events: readonly LocalEvent[]): Promise<StoredEvent[]> {
    return this.decide(room, () => Promise.resolve(events));
  }

  /**
   * Sends what somebody decides on, all or none; see {@link send}. Whoever first looked at the room and then sent would
   * go by what may have changed meanwhile.
   * @param decision called again when what it went by could not be stored; what it throws is thrown
   */
  async decide(room: Room, decision: Decision): Promise<StoredEvent[]> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const { done } = await this.#parts.queues.run(room.roomNid, () =>
        this.#begin(room, decision, attempt > 0),
      );
      const stored = await done;
      if (stored) return stored;
    }
    throw new StorageError("overloaded", `what room ${room.roomId} is sent cannot be stored`);
  }

  /**
   * What a user of another server has to sign to do something in a room as it is now.
   * @throws MatrixError when the rules refuse it
   */
  template(room: Room, event: LocalEvent): Promise<JsonObject> {
    return this.#parts.queues.run(room.roomNid, async () => {
      const draft = new HeadDraft(await this.#parts.heads.load(room));
      return this.#parts.maker.template(event, draft, room.roomId);
    });
  }

  /**
   * Builds an event and does not send it, as it needs another server's signature. `RoomReceiver` takes it then.
   * @throws MatrixError when the rules refuse it
   */
  prepare(room: Room, event: LocalEvent): Promise<BuiltEvent> {
    return this.#parts.queues.run(room.roomNid, async () => {
      const draft = new HeadDraft(await this.#parts.heads.load(room));
      const placed = await this.#parts.maker.make(event, draft, room.roomId);
      await this.#parts.batches.approve(draft, placed);
      return placed.built;
    });
  }

  /**
   * Builds events on the head of their room and starts their commit.
   * @param isAgain whether they have been built before: storage may have refused them as repetitions
   */
  async #begin(room: Room, decision: Decision, isAgain: boolean): Promise<CommitUnderWay> {
    const head = await this.#parts.heads.load(room);
    const draft = new HeadDraft(head);
    const state = new DraftState(draft, this.#parts.names, this.#parts.events);
    try {
      const events = await decision(state);
      if (events.length === 0) return { done: this.#nothing(state.seen) };
      const repeated = await this.#repeatedBy(draft, events, isAgain);
      if (repeated !== undefined) return { done: this.#settled(repeated) };
      const batch = await this.#parts.batches.build(draft, events, room.roomId);
      if (this.#parts.heads.advance(head, draft)) return { done: this.#parts.commits.track(batch) };
      this.#parts.batches.discard(batch);
    } catch (error) {
      // Whatever is wrong with events that were built on what has been lost is no fault of theirs.
      if (this.#parts.heads.keeps(head)) throw error;
    }
    return { done: Promise.resolve(undefined) };
  }

  /** Sends one event; see {@link send}. */
  async sendOne(room: Room, event: LocalEvent): Promise<StoredEvent> {
    const [stored] = await this.send(room, [event]);
    if (!stored) throw new Error("one event was sent and none stored");
    return stored;
  }

  /** The event that a lone event would only repeat. */
  async #repeatedBy(
    draft: HeadDraft,
    events: readonly LocalEvent[],
    isAgain: boolean,
  ): Promise<number | undefined> {
    const [event] = events;
    if (!event || events.length > 1) return undefined;
    if (event.transaction) return this.#sentBefore(draft.room, event, event.transaction, isAgain);
    // A state that is sticky anew is told anew.
    if (event.stateKey === undefined || event.stickyDurationMs !== undefined) return undefined;
    const pairNid = await this.#parts.names.findStatePair(event.type, event.stateKey);
    const eventNid = pairNid === undefined ? undefined : await draft.get(pairNid);
    if (eventNid === undefined) return undefined;
    const current = await this.#parts.events.roomEvent(eventNid);
    if (current.sender !== event.sender) return undefined;
    return isDeepStrictEqual(current.content, event.content) ? eventNid : undefined;
  }

  /** Storage is asked only once it has refused an event, which it does by itself: nearly all are sent once. */
  async #sentBefore(
    room: Room,
    event: LocalEvent,
    transaction: LocalTransaction,
    isAgain: boolean,
  ): Promise<number | undefined> {
    const userNid = await this.#parts.names.internUser(event.sender);
    const typeNid = await this.#parts.names.internEventType(event.type);
    const key = transactionKey(userNid, transaction, room.roomNid, typeNid);
    const known = this.#parts.commits.sentUnder(key);
    if (known !== undefined || !isAgain) return known;
    return this.#parts.eventStore.byTransaction({
      userNid,
      deviceId: transaction.deviceId,
      transactionId: transaction.id,
      roomNid: room.roomNid,
      typeNid,
      targetId: transaction.targetId ?? "",
    });
  }

  /** An event that was sent earlier, once its commit is through. */
  async #settled(eventNid: number): Promise<StoredEvent[] | undefined> {
    const underWay = this.#parts.commits.underWay(eventNid);
    if (underWay && !(await underWay)) return undefined;
    return [await this.#parts.events.stored(eventNid)];
  }

  /** That nothing is to be sent holds once the events are stored by which it was decided. */
  async #nothing(seen: ReadonlySet<number>): Promise<StoredEvent[] | undefined> {
    const underWay = [...seen]
      .map((eventNid) => this.#parts.commits.underWay(eventNid))
      .filter((done) => done !== undefined);
    const outcomes = await Promise.allSettled(underWay);
    return outcomes.every((outcome) => outcome.status === "fulfilled" && outcome.value) ? [] : undefined;
  }
}
