import { Turns } from "../../concurrency/turns.ts";
import type { Restatements } from "../../ingest/restatements.ts";
import { type EventId, type ServerName, serverNameOf } from "../../protocol/identifiers.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { PartialRooms } from "../../state/partial-rooms.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { StateMap } from "../../state/state-snapshots.ts";
import { eventFlags, type EventStore } from "../../storage/events.ts";
import type { PartialRoomRow } from "../../storage/partial-rooms.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import { boundHeapGrowth } from "../../telemetry/heap-growth.ts";
import type { Logger } from "../../telemetry/log.ts";
import { FederationError } from "../federation-client.ts";
import { type ToldStates, ToldStateError } from "../inbound/told-state.ts";
import type { RoomParticipation } from "../room-participation.ts";

export interface RoomCompletionsParts {
  readonly ownName: ServerName;
  readonly partialRooms: PartialRooms;
  readonly rooms: RoomIndex;
  readonly participation: RoomParticipation;
  readonly toldStates: ToldStates;
  readonly restatements: Restatements;
  readonly eventStore: Pick<EventStore, "byId">;
  readonly events: Pick<EventReader, "roomEvent">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Each is a large answer that is checked event by event. */
const maxRoomsAtOnce = 4;
/** More servers are not asked before those are asked again. */
const maxServersOfRound = 20;
/** Of users of this server, in a row before a join. */
const maxOwnEvents = 20;
const firstPauseMs = 5_000;
const longestPauseMs = 10 * 60_000;

/** Gets the members of rooms that were joined without them, from one of their servers after the other. */
export class RoomCompletions implements Disposable {
  readonly #parts: RoomCompletionsParts;
  readonly #turns: Turns;
  /** Rooms that are being asked for, or have their turn later. */
  readonly #underWay = new Set<number>();
  /** Rooms that are asked for again after a while. */
  readonly #retries = new Map<number, Timer>();
  readonly #pausesMs = new Map<number, number>();
  #isClosed = false;

  constructor(parts: RoomCompletionsParts) {
    this.#parts = parts;
    this.#turns = new Turns({ maxAtWork: maxRoomsAtOnce }, parts.clock);
  }

  /** To be told of each commit: a room that everybody has left needs no members. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    const { partialRooms } = this.#parts;
    for (const { membership } of changes) {
      const row = membership && !membership.joined ? partialRooms.of(membership.roomNid) : undefined;
      if (row) this.#quietly(row.roomNid, () => this.#endIfLeft(row.roomNid, row));
    }
  };

  /** Goes on with the rooms whose members were missing when the server stopped. */
  resume(): void {
    for (const { roomNid } of this.#parts.partialRooms.all) this.start(roomNid);
  }

  /** Gets the members of a room, however long it takes. */
  start(roomNid: number): void {
    if (this.#isClosed || this.#underWay.has(roomNid)) return;
    this.#retries.get(roomNid)?.cancel();
    this.#retries.delete(roomNid);
    this.#underWay.add(roomNid);
    this.#quietly(roomNid, async () => {
      const round = this.#turns.run(() => this.#round(roomNid));
      const pauseMs = await round.finally(() => this.#underWay.delete(roomNid));
      if (pauseMs !== undefined) this.#startIn(roomNid, pauseMs);
      // It has been left and joined anew meanwhile.
      else if (this.#parts.partialRooms.has(roomNid)) this.start(roomNid);
    });
  }

  /** What is under way is not waited for: it begins anew with the next start. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const timer of this.#retries.values()) timer.cancel();
  }

  #startIn(roomNid: number, delayMs: number): void {
    this.#retries.get(roomNid)?.cancel();
    if (this.#isClosed) return;
    this.#retries.set(
      roomNid,
      this.#parts.clock.setTimer(delayMs, () => this.start(roomNid)),
    );
  }

  /** Asks the room's servers once. @returns when to try again, in milliseconds from now; `undefined` when it is done */
  async #round(roomNid: number): Promise<number | undefined> {
    const { partialRooms, rooms, participation, log } = this.#parts;
    const row = partialRooms.of(roomNid);
    if (this.#isClosed || !row || (await this.#endIfLeft(roomNid, row))) return this.#done(roomNid);
    const room = await rooms.byNid(roomNid);
    const servers = participation.others(row.servers as readonly ServerName[]).slice(0, maxServersOfRound);
    for (const server of servers) {
      if (this.#isClosed || partialRooms.of(roomNid) !== row) return this.#done(roomNid);
      try {
        await this.#completeBy(server, room, row);
        return this.#done(roomNid);
      } catch (error) {
        if (!(error instanceof FederationError || error instanceof ToldStateError)) throw error;
        log.info({ err: error, server, roomId: room.roomId }, "a server has not told the members of a room");
      }
    }
    if (!(await participation.isJoined(room))) {
      // Whose users have been made to leave is told nothing more of the room.
      await partialRooms.abandon(roomNid);
      return this.#done(roomNid);
    }
    const pauseMs = this.#pausesMs.get(roomNid) ?? firstPauseMs;
    this.#pausesMs.set(roomNid, Math.min(pauseMs * 2, longestPauseMs));
    return pauseMs;
  }

  #done(roomNid: number): undefined {
    this.#pausesMs.delete(roomNid);
  }

  async #completeBy(server: ServerName, room: Room, row: PartialRoomRow): Promise<void> {
    const { joinId } = row;
    const { restatements, log, clock } = this.#parts;
    using _growth = boundHeapGrowth();
    const startMs = clock.monotonicMs();
    const before = await this.#stateBefore(server, room, joinId as EventId);
    const isDue = async () => !this.#isClosed && !(await this.#endIfLeft(room.roomNid, row));
    await restatements.complete(room, joinId as EventId, before, isDue);
    const tookMs = Math.round(clock.monotonicMs() - startMs);
    log.info(
      { server, roomId: room.roomId, entries: before.size, tookMs },
      "all members of a room are known",
    );
  }

  /** The state before the join. Other servers than the one by which it came may know only the event before it. */
  async #stateBefore(server: ServerName, room: Room, joinId: EventId): Promise<StateMap> {
    const { toldStates, eventStore, events } = this.#parts;
    const join = await eventStore.byId(joinId);
    const { prevEventIds } = join ? await events.roomEvent(join.eventNid) : { prevEventIds: [] };
    const [prevId] = prevEventIds;
    if (prevId === undefined || prevEventIds.length > 1) return toldStates.before(room, joinId, server);
    try {
      return await this.#stateAfter(server, room, prevId, maxOwnEvents);
    } catch (error) {
      const isUnknownThere = error instanceof FederationError && error.failure === "refused";
      if (!isUnknownThere && !(error instanceof ToldStateError)) throw error;
      return toldStates.before(room, joinId, server);
    }
  }

  /**
   * The state after an event. What users of this server have done, such as leave, another server may not have heard of: that
   * is added here to the state before it.
   */
  async #stateAfter(
    server: ServerName,
    room: Room,
    eventId: EventId,
    ownEventsLeft: number,
  ): Promise<StateMap> {
    const { ownName, toldStates, eventStore, events } = this.#parts;
    const stored = await eventStore.byId(eventId);
    const isPlaced = stored !== undefined && stored.stateAfter !== null;
    const event = isPlaced && ownEventsLeft > 0 ? await events.roomEvent(stored.eventNid) : undefined;
    const [prevId, ...others] = event?.prevEventIds ?? [];
    const isOwn = event !== undefined && serverNameOf(event.sender) === ownName;
    if (!stored || !isOwn || prevId === undefined || others.length > 0) {
      return toldStates.after(room, eventId, server);
    }
    const before = await this.#stateAfter(server, room, prevId, ownEventsLeft - 1);
    const { pairNid, eventNid, flags } = stored;
    if (pairNid === null || (flags & eventFlags.rejected) !== 0) return before;
    return new Map([...before, [pairNid, eventNid]]);
  }

  /**
   * Whether the room needs no members, as nobody of this server is in it, or the join has not been stored. Who has been made
   * to leave is in it until it is known that they had to.
   */
  async #endIfLeft(roomNid: number, row: PartialRoomRow): Promise<boolean> {
    const { partialRooms, rooms, participation, eventStore } = this.#parts;
    if (partialRooms.of(roomNid) !== row) return true;
    const join = await eventStore.byId(row.joinId);
    const isPlaced = join !== undefined && (join.flags & eventFlags.outlier) === 0;
    if (isPlaced && (await participation.isJoined(await rooms.byNid(roomNid)))) return false;
    if (isPlaced && (await partialRooms.isLeftByOthers(roomNid))) return false;
    await partialRooms.abandon(roomNid);
    return true;
  }

  /** Nobody waits for it: faults of our own are told the log, and tried again later. */
  #quietly(roomNid: number, work: () => Promise<unknown>): void {
    work().catch((error: unknown) => {
      if (this.#isClosed) return;
      this.#parts.log.error({ err: error, roomNid }, "the members of a room cannot be stored");
      this.#startIn(roomNid, longestPauseMs);
    });
  }
}
