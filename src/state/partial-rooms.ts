import type { PartialRoomRow, PartialRoomStore } from "../storage/partial-rooms.ts";
import type { StreamChange } from "../storage/streams.ts";

/** Rooms that have been joined without learning of all their members, who follow (server-server API, `send_join`). */
export class PartialRooms {
  readonly #store: PartialRoomStore;
  readonly #rows = new Map<number, PartialRoomRow>();
  readonly #waiting = new Map<number, PromiseWithResolvers<void>>();
  /** Since when all members are known of rooms that were partial. One entry a room that was joined so. */
  readonly #wholeSince = new Map<number, number>();
  /** The highest of those positions. */
  #lastWhole = 0;

  private constructor(store: PartialRoomStore) {
    this.#store = store;
  }

  static async open(store: PartialRoomStore): Promise<PartialRooms> {
    const rooms = new PartialRooms(store);
    for (const row of await store.all()) rooms.#rows.set(row.roomNid, row);
    for (const { roomNid, position } of await store.completed()) rooms.#completed(roomNid, position);
    return rooms;
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { nid, position, isWhole } of changes) if (isWhole) this.#completed(nid, position);
  };

  get all(): readonly PartialRoomRow[] {
    return [...this.#rows.values()];
  }

  of(roomNid: number): PartialRoomRow | undefined {
    return this.#rows.get(roomNid);
  }

  has(roomNid: number): boolean {
    return this.#rows.has(roomNid);
  }

  /** The rooms among some of which all members have become known after a position. */
  wholeAfter(roomNids: ReadonlySet<number>, position: number): readonly number[] {
    if (this.#lastWhole <= position) return [];
    return [...roomNids].filter((roomNid) => (this.#wholeSince.get(roomNid) ?? 0) > position);
  }

  /** Resolves once a room is no longer partial, at once for any other. */
  whole(roomNid: number): Promise<void> {
    if (!this.#rows.has(roomNid)) return Promise.resolve();
    const waiting = this.#waiting.get(roomNid) ?? Promise.withResolvers<void>();
    this.#waiting.set(roomNid, waiting);
    return waiting.promise;
  }

  async begin(row: PartialRoomRow): Promise<void> {
    await this.#store.begin(row);
    this.#rows.set(row.roomNid, row);
  }

  /** Whether others have made a user of this server leave since the join; what they know decides whether they may have. */
  isLeftByOthers(roomNid: number): Promise<boolean> {
    return this.#store.isLeftByOthers(roomNid);
  }

  /** Nobody waits for the members any more. */
  async abandon(roomNid: number): Promise<void> {
    await this.#store.end(roomNid);
    this.#forget(roomNid);
  }

  #completed(roomNid: number, position: number): void {
    this.#wholeSince.set(roomNid, position);
    this.#lastWhole = Math.max(this.#lastWhole, position);
    this.#forget(roomNid);
  }

  #forget(roomNid: number): void {
    this.#rows.delete(roomNid);
    this.#waiting.get(roomNid)?.resolve();
    this.#waiting.delete(roomNid);
  }
}
