import type { ActingUser } from "../auth/requester.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { PushUser } from "../protocol/push/conditions.ts";
import type { EventStore, StoredEvent } from "../storage/events.ts";
import { ReadCache } from "../storage/read-cache.ts";
import { mainThread } from "../storage/receipts.ts";
import type { ThreadSubscription, ThreadSubscriptionStore } from "../storage/thread-subscriptions.ts";
import type { EventThreads } from "../timeline/event-threads.ts";
import type { ReadableRoom, ReadingAccess } from "./reading/reading-access.ts";

export interface ThreadSubscriptionsParts {
  readonly store: ThreadSubscriptionStore;
  readonly access: Pick<ReadingAccess, "find">;
  readonly events: Pick<EventStore, "byId">;
  readonly threads: Pick<EventThreads, "of">;
}

/** Each reply in a thread asks for the subscription of every member of its room. */
const cachedSubscriptions = 50_000;
const cachedUsers = 50_000;

/** Which threads users follow (MSC4306). */
export class ThreadSubscriptions {
  readonly #parts: ThreadSubscriptionsParts;
  /** Users whose clients know of subscriptions. */
  readonly #users: ReadCache<number, boolean>;
  readonly #subscribed: ReadCache<string, boolean>;

  constructor(parts: ThreadSubscriptionsParts) {
    const { store } = parts;
    this.#parts = parts;
    this.#users = new ReadCache(cachedUsers, (userNid) => store.hasAny(userNid));
    this.#subscribed = new ReadCache(cachedSubscriptions, async (key) => {
      const [, userNid, roomNid, rootId = ""] = /^(\d+) (\d+) (.*)$/s.exec(key) ?? [];
      const found = await store.find(Number(userNid), { roomNid: Number(roomNid), rootId });
      return found?.isSubscribed ?? false;
    });
  }

  /** @throws MatrixError M_NOT_FOUND for who does not follow the thread, or may not see it */
  async get(user: ActingUser, roomId: string, rootId: string): Promise<ThreadSubscription> {
    const { room } = await this.#thread(user, roomId, rootId);
    const found = await this.#parts.store.find(user.userNid, { roomNid: room.roomNid, rootId });
    if (found?.isSubscribed) return found;
    throw new MatrixError("M_NOT_FOUND", "You are not subscribed to this thread");
  }

  /**
   * Has a user follow a thread.
   * @param causeId the event because of which a client does so of itself; `undefined` where the user does it
   * @throws MatrixError M_NOT_FOUND, IO.ELEMENT.MSC4306.M_NOT_IN_THREAD, IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION
   */
  async subscribe(
    user: ActingUser,
    roomId: string,
    rootId: string,
    causeId: string | undefined,
  ): Promise<void> {
    const readable = await this.#thread(user, roomId, rootId);
    const { roomNid } = readable.room;
    const causePosition = causeId === undefined ? null : await this.#causePosition(readable, rootId, causeId);
    const done = await this.#parts.store.subscribe(user.userNid, { roomNid, rootId }, causePosition);
    this.#forget(user.userNid, roomNid, rootId);
    if (done) return;
    throw new MatrixError(
      "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION",
      "You have unsubscribed from this thread since that event was sent",
    );
  }

  /** @throws MatrixError M_NOT_FOUND */
  async unsubscribe(user: ActingUser, roomId: string, rootId: string): Promise<void> {
    const { room } = await this.#thread(user, roomId, rootId);
    await this.#parts.store.unsubscribe(user.userNid, { roomNid: room.roomNid, rootId });
    this.#forget(user.userNid, room.roomNid, rootId);
  }

  /**
   * A user in front of an event of a thread, for their push rules.
   *
   * Somebody whose clients know nothing of subscriptions has none, and is not asked: or no reply in any thread would
   * notify them.
   * @param thread the event ID of the thread's root, or `main`
   */
  async inThread(user: PushUser, userNid: number, roomNid: number, thread: string): Promise<PushUser> {
    if (thread === mainThread || !(await this.#users.get(userNid))) return user;
    const followsThread = await this.#subscribed.get(keyOf(userNid, roomNid, thread));
    return { ...user, followsThread };
  }

  #forget(userNid: number, roomNid: number, rootId: string): void {
    this.#users.forget(userNid);
    this.#subscribed.forget(keyOf(userNid, roomNid, rootId));
  }

  /** A thread that the user may see. It need not have replies yet, but no reply is the root of another thread. */
  async #thread(user: ActingUser, roomId: string, rootId: string): Promise<ReadableRoom> {
    const readable = await this.#parts.access.find(roomId, user);
    const root = readable && (await this.#visible(readable, rootId));
    if (readable && root && (await this.#parts.threads.of(root)) === mainThread) return readable;
    throw new MatrixError("M_NOT_FOUND", "There is no such thread that you may see");
  }

  async #causePosition(readable: ReadableRoom, rootId: string, causeId: string): Promise<number> {
    const cause = await this.#visible(readable, causeId);
    if (cause && (await this.#parts.threads.of(cause)) === rootId) return cause.position ?? 0;
    throw new MatrixError("IO.ELEMENT.MSC4306.M_NOT_IN_THREAD", "automatic names no event of this thread");
  }

  async #visible({ room, view }: ReadableRoom, eventId: string): Promise<StoredEvent | undefined> {
    const event = await this.#parts.events.byId(eventId);
    if (!event || event.roomNid !== room.roomNid || event.position === null) return undefined;
    return (await view.maySee(event)) ? event : undefined;
  }
}

function keyOf(userNid: number, roomNid: number, rootId: string): string {
  return `${userNid} ${roomNid} ${rootId}`;
}
