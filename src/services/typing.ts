import type { PositionStore } from "../storage/positions.ts";
import type { StreamChange } from "../storage/streams.ts";
import type { Clock, Timer } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";

/** "The value of N is recommended to be no more than 20-30 seconds": what a client gets that does not say. */
const defaultTimeoutMs = 30_000;
const maxTimeoutMs = 120_000;
/** No client shows more names than this, and each change is told to the whole room. */
const maxTypersPerRoom = 100;
/** Users of other servers leave room for those of this one. */
const maxRemoteTypersPerRoom = 50;
/** Servers say of a user who goes on typing, every 40 s or so, that they do. */
const remoteTimeoutMs = 60_000;
/** However fast other servers change their minds: each change wakes the whole room. */
const pauseAfterRemoteMs = 200;
/** Rooms in which nobody types any longer are remembered for those who have not heard of it yet. */
const maxQuietRooms = 10_000;

interface TypingRoom {
  /** When each user counts as having stopped. */
  readonly timers: Map<number, Timer>;
  /** Of the last change; 0 while that is being committed. */
  position: number;
  /** When a change that came from another server may be told again, by the monotonic clock. */
  nextRemoteMs: number;
  /** Runs while such a change waits to be told. */
  waiting: Timer | undefined;
}

/** Who is typing in one room. */
export interface Typers {
  readonly userNids: readonly number[];
  /** Position of the last change. */
  readonly position: number;
}

/**
 * Who is typing where (client-server API, "Typing Notifications"). It lives in memory; only the positions of its changes
 * come from storage.
 */
export class Typing implements Disposable {
  readonly #positions: Pick<PositionStore, "take">;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** Those that changed last come last. */
  readonly #rooms = new Map<number, TypingRoom>();

  constructor(positions: Pick<PositionStore, "take">, clock: Clock, log: Logger) {
    this.#positions = positions;
    this.#clock = clock;
    this.#log = log;
  }

  /** To be told of each commit before its position becomes visible. Who sends a message or leaves types no longer. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, position, nid, senderNid, membership } of changes) {
      if (stream === "typing") this.#placed(nid, position);
      else if (senderNid !== undefined) this.#end(nid, senderNid);
      else if (membership && !membership.joined) this.#end(membership.roomNid, nid);
    }
  };

  /** The user is typing, until they stop or `timeoutMs` have passed. It is visible to others when this ends. */
  async start(roomNid: number, userNid: number, timeoutMs = defaultTimeoutMs): Promise<void> {
    const room = this.#room(roomNid);
    const isNews = this.#begin(roomNid, room, userNid, Math.min(timeoutMs, maxTimeoutMs), maxTypersPerRoom);
    if (isNews) await this.#changed(roomNid, room);
  }

  /**
   * Another server says that one of its users is typing, or no longer. What comes from other servers shortly after the
   * last of it is told together.
   */
  heard(roomNid: number, userNid: number, isTyping: boolean): void {
    const room = this.#room(roomNid);
    const isNews = isTyping
      ? this.#begin(roomNid, room, userNid, remoteTimeoutMs, maxRemoteTypersPerRoom)
      : stopped(room, userNid);
    if (!isNews || room.waiting) return;
    this.#rooms.set(roomNid, room);
    const waitMs = Math.max(0, room.nextRemoteMs - this.#clock.monotonicMs());
    room.waiting = this.#clock.setTimer(waitMs, () => {
      room.waiting = undefined;
      room.nextRemoteMs = this.#clock.monotonicMs() + pauseAfterRemoteMs;
      this.#changed(roomNid, room).catch((error: unknown) => {
        this.#log.warn({ err: error, roomNid }, "who types on other servers was not told");
      });
    });
  }

  /** The user is typing no longer. It is visible to others when this ends. */
  async stop(roomNid: number, userNid: number): Promise<void> {
    const room = this.#rooms.get(roomNid);
    if (room && stopped(room, userNid)) await this.#changed(roomNid, room);
  }

  /** Who is typing in a room; `undefined` where nobody has been for long. */
  in(roomNid: number): Typers | undefined {
    const room = this.#rooms.get(roomNid);
    return room && { userNids: [...room.timers.keys()], position: room.position };
  }

  [Symbol.dispose](): void {
    for (const { timers, waiting } of this.#rooms.values()) {
      waiting?.cancel();
      for (const timer of timers.values()) timer.cancel();
    }
    this.#rooms.clear();
  }

  #room(roomNid: number): TypingRoom {
    const known = this.#rooms.get(roomNid);
    return known ?? { timers: new Map(), position: 0, nextRemoteMs: 0, waiting: undefined };
  }

  /** Whether the user was not typing before, and now is. */
  #begin(roomNid: number, room: TypingRoom, userNid: number, timeoutMs: number, maxTypers: number): boolean {
    const known = room.timers.get(userNid);
    if (!known && room.timers.size >= maxTypers) return false;
    known?.cancel();
    room.timers.set(
      userNid,
      this.#clock.setTimer(timeoutMs, () => this.#end(roomNid, userNid)),
    );
    return !known;
  }

  #end(roomNid: number, userNid: number): void {
    this.stop(roomNid, userNid).catch((error: unknown) => {
      this.#log.warn({ err: error, roomNid }, "the end of typing was not told");
    });
  }

  #changed(roomNid: number, room: TypingRoom): Promise<void> {
    this.#rooms.delete(roomNid);
    this.#rooms.set(roomNid, room);
    this.#forgetQuietRooms();
    return this.#positions.take("typing", roomNid);
  }

  #placed(roomNid: number, position: number): void {
    const room = this.#rooms.get(roomNid);
    if (room) room.position = position;
  }

  #forgetQuietRooms(): void {
    for (const [roomNid, { timers, waiting }] of this.#rooms) {
      if (this.#rooms.size <= maxQuietRooms) return;
      if (timers.size === 0 && !waiting) this.#rooms.delete(roomNid);
    }
  }
}

/** Whether the user was typing. */
function stopped({ timers }: TypingRoom, userNid: number): boolean {
  timers.get(userNid)?.cancel();
  return timers.delete(userNid);
}
