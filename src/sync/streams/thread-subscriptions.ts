import type { RoomIndex } from "../../state/room-index.ts";
import type { ThreadSubscription, ThreadSubscriptionStore } from "../../storage/thread-subscriptions.ts";

/** What has changed in the subscriptions of a user, as far as one answer takes it. */
export interface ThreadSubscriptionChanges {
  /** By room and thread, as clients get them. */
  readonly subscribed: Record<string, Record<string, object>>;
  readonly unsubscribed: Record<string, Record<string, object>>;
  readonly isEmpty: boolean;
  /** The position from which to read on backwards; `undefined` when nothing is left out. */
  readonly next: number | undefined;
}

const maxLimit = 100;

/** Changes of thread subscriptions, the newest of them (MSC4308). */
export class ThreadSubscriptionStream {
  readonly #store: Pick<ThreadSubscriptionStore, "changes">;
  readonly #rooms: Pick<RoomIndex, "byNid">;

  constructor(store: Pick<ThreadSubscriptionStore, "changes">, rooms: Pick<RoomIndex, "byNid">) {
    this.#store = store;
    this.#rooms = rooms;
  }

  /** @param after `undefined` for somebody who has nothing yet, and so nothing to give up */
  async changes(
    userNid: number,
    after: number | undefined,
    upTo: number,
    wantedLimit: number,
  ): Promise<ThreadSubscriptionChanges> {
    const limit = Math.min(wantedLimit, maxLimit);
    const found = await this.#store.changes(userNid, after ?? 0, upTo, limit + 1);
    const shown = found.slice(0, limit);
    const subscribed: Record<string, Record<string, object>> = {};
    const unsubscribed: Record<string, Record<string, object>> = {};
    for (const change of shown) {
      if (!change.isSubscribed && after === undefined) continue;
      const { roomId } = await this.#rooms.byNid(change.roomNid);
      const rooms = change.isSubscribed ? subscribed : unsubscribed;
      (rooms[roomId] ??= {})[change.rootId] = described(change);
    }
    const last = shown.at(-1);
    return {
      subscribed,
      unsubscribed,
      isEmpty: shown.length === 0,
      next: found.length > limit && last ? last.position - 1 : undefined,
    };
  }
}

function described({ isSubscribed, isAutomatic, position }: ThreadSubscription): object {
  return { ...(isSubscribed && { automatic: isAutomatic }), bump_stamp: position };
}
