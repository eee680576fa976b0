import type { Notifier } from "../../notifier/notifier.ts";
import { mainThread, type ReceiptStore } from "../../storage/receipts.ts";
import type { UnreadTotals } from "../../services/notifications/room-tally.ts";
import type { UnreadCounts as UnreadCountService } from "../../services/notifications/unread-counts.ts";
import type { RoomUnreadCounts, UnreadCounts, UnreadCountStream } from "./unread-counts.ts";

const none: UnreadCounts = { notifications: 0, highlights: 0 };
const noThreads: ReadonlyMap<string, UnreadCounts> = new Map();

/** `unread_notifications` and `unread_thread_notifications` of /sync (client-server API, "Receiving notifications"). */
export class RoomUnreadCountStream implements UnreadCountStream {
  readonly #counts: UnreadCountService;
  readonly #receipts: Pick<ReceiptStore, "roomsReadBetween">;
  readonly #notifier: Notifier;

  constructor(
    counts: UnreadCountService,
    receipts: Pick<ReceiptStore, "roomsReadBetween">,
    notifier: Notifier,
  ) {
    this.#counts = counts;
    this.#receipts = receipts;
    this.#notifier = notifier;
  }

  /** Without new events counts change by reading alone. */
  async changedRooms(userNid: number, since: number, upTo: number): Promise<readonly number[]> {
    const changes = this.#notifier.changesSince(since);
    if (!changes) return this.#receipts.roomsReadBetween(userNid, since, upTo);
    return changes.flatMap(({ nid, readRoomNid, position }) =>
      readRoomNid !== undefined && nid === userNid && position <= upTo ? [readRoomNid] : [],
    );
  }

  async counts(
    userNid: number,
    roomNids: readonly number[],
    perThread: boolean,
  ): Promise<ReadonlyMap<number, RoomUnreadCounts>> {
    const counts = new Map<number, RoomUnreadCounts>();
    const totals = await this.#counts.among(userNid, roomNids, this.#notifier.position);
    for (const [index, ofRoom] of totals.entries()) {
      const roomNid = roomNids[index] ?? 0;
      if (ofRoom.byThread.size > 0) counts.set(roomNid, perThread ? apart(ofRoom) : together(ofRoom));
    }
    return counts;
  }
}

function together(totals: UnreadTotals): RoomUnreadCounts {
  return { room: totals, threads: noThreads };
}

function apart({ byThread }: UnreadTotals): RoomUnreadCounts {
  const threads = new Map(byThread);
  threads.delete(mainThread);
  return { room: byThread.get(mainThread) ?? none, threads };
}
