import type { PositionStore } from "../storage/positions.ts";
import type { StreamChange } from "../storage/streams.ts";
import type { Clock, Timer } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";

/** "The value of N is recommended to be no more than 20-30 seconds": what a client gets that does not say. */
const defaultTimeoutMs = 30_000;
const maxTimeoutMs = 120_000;
/** No client shows more names than this, and each change is told to the whole room. */
const maxTypersPerRoom = 100;
/** Rooms in which nobody types any longer are remembered for those who have not heard of it yet. */
const maxQuietRooms = 10_000;

interface TypingRoom {
  /** When each user counts as having stopped. */
  readonly timers: Map<number, Timer>;
  /** Of the last change; 0 while that is being committed. */
  position: number;
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
  readonly #positions: PositionStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** Those that changed last come last. */
  readonly #rooms = new Map<number, TypingRoom>();

  constructor(positions: PositionStore, clock: Clock, log: Logger) {
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
    const room = this.#rooms.get(roomNid) ?? { timers: new Map<number, Timer>(), position: 0 };
    const known = room.timers.get(userNid);
    if (!known && room.timers.size >= maxTypersPerRoom) return;
    known?.cancel();
    const timer = this.#clock.setTimer(Math.min(timeoutMs, maxTimeoutMs), () => this.#end(roomNid, userNid));
    room.timers.set(userNid, timer);
    if (!known) await this.#changed(roomNid, room);
  }

  /** The user is typing no longer. It is visible to others when this ends. */
  async stop(roomNid: number, userNid: number): Promise<void> {
    const room = this.#rooms.get(roomNid);
    const timer = room?.timers.get(userNid);
    if (!room || !timer) return;
    timer.cancel();
    room.timers.delete(userNid);
    await this.#changed(roomNid, room);
  }

  /** Who is typing in a room; `undefined` where nobody has been for long. */
  in(roomNid: number): Typers | undefined {
    const room = this.#rooms.get(roomNid);
    return room && { userNids: [...room.timers.keys()], position: room.position };
  }

  [Symbol.dispose](): void {
    for (const { timers } of this.#rooms.values()) for (const timer of timers.values()) timer.cancel();
    this.#rooms.clear();
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
    for (const [roomNid, { timers }] of this.#rooms) {
      if (this.#rooms.size <= maxQuietRooms) return;
      if (timers.size === 0) this.#rooms.delete(roomNid);
    }
  }
}
