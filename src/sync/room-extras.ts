import type { EphemeralStream } from "./streams/ephemeral.ts";
import type { RoomUnreadCounts, UnreadCountStream } from "./streams/unread-counts.ts";
import type { PossibleChanges } from "./possible-changes.ts";
import type { SyncRound } from "./sync-request.ts";

const noRooms: ReadonlySet<number> = new Set();

/** Reads what rooms bring beside timeline, state and account data, for many rooms at a time. */
export class RoomExtrasReader {
  readonly #ephemeral: readonly EphemeralStream[];
  readonly #unread: UnreadCountStream | undefined;

  /** @param unread absent where nobody counts */
  constructor(ephemeral: readonly EphemeralStream[], unread: UnreadCountStream | undefined) {
    this.#ephemeral = ephemeral;
    this.#unread = unread;
  }

  /**
   * Ephemeral events as JSON, by room; of newly joined rooms those that are of interest now.
   * @param read rooms in which the user has read: private receipts are named to nobody but their user
   */
  async ephemeral(
    round: SyncRound,
    changes: PossibleChanges,
    joined: ReadonlySet<number>,
    newlyJoined: ReadonlySet<number>,
    read: ReadonlySet<number>,
  ): Promise<ReadonlyMap<number, readonly string[]>> {
    const since = round.request.since?.position;
    const byRoom = new Map<number, string[]>();
    for (const stream of this.#ephemeral) {
      if (!round.request.filter.ephemeral.matchesType(stream.eventType)) continue;
      const named = since === undefined ? joined : (changes.of(stream.stream) ?? joined);
      const changed = stream.stream === "receipts" ? named.union(read.intersection(joined)) : named;
      await this.#read(round, stream, changed.difference(newlyJoined), since, byRoom);
      await this.#read(round, stream, newlyJoined, undefined, byRoom);
    }
    return byRoom;
  }

  async #read(
    { request: { device }, upTo }: SyncRound,
    stream: EphemeralStream,
    rooms: ReadonlySet<number>,
    since: number | undefined,
    byRoom: Map<number, string[]>,
  ): Promise<void> {
    if (rooms.size === 0) return;
    const events = await stream.events({ device, roomNids: [...rooms], since, upTo });
    for (const [roomNid, event] of events) {
      const known = byRoom.get(roomNid);
      if (known) known.push(event);
      else byRoom.set(roomNid, [event]);
    }
  }

  /** The rooms whose unread counts have changed. */
  async unreadChanged(round: SyncRound, changes: PossibleChanges): Promise<ReadonlySet<number>> {
    const { since, device } = round.request;
    if (!this.#unread || !since || !changes.has("notifications")) return noRooms;
    return new Set(await this.#unread.changedRooms(device.userNid, since.position, round.upTo));
  }

  async unreadCounts(
    { request: { device, filter } }: SyncRound,
    roomNids: readonly number[],
  ): Promise<ReadonlyMap<number, RoomUnreadCounts> | undefined> {
    if (roomNids.length === 0) return undefined;
    return this.#unread?.counts(device.userNid, roomNids, filter.timeline.unreadThreadNotifications);
  }
}
