/** A thread, by the room and the event ID of its root. */
export interface ThreadName {
  readonly roomNid: number;
  readonly rootId: string;
}

/** Whether a user follows a thread, or does not any more. */
export interface ThreadSubscription extends ThreadName {
  readonly isSubscribed: boolean;
  /** Made by a client of itself, because of some event in the thread. */
  readonly isAutomatic: boolean;
  /** Of the last change. */
  readonly position: number;
}

/** More threads are not remembered for a user: those go first in which nothing has changed for longest. */
export const maxThreadSubscriptions = 10_000;

/** Which threads users follow (MSC4306). */
export interface ThreadSubscriptionStore {
  find(userNid: number, thread: ThreadName): Promise<ThreadSubscription | undefined>;
  /** Whether a user has ever followed a thread, as far as that is remembered. */
  hasAny(userNid: number): Promise<boolean>;
  /**
   * Has a user follow a thread. What they have done themselves is not undone by what a client does of itself.
   * @param causePosition of the event that makes a client do it; `null` where the user does it
   * @returns false, and nothing is changed, when the user has left the thread after that event
   */
  subscribe(userNid: number, thread: ThreadName, causePosition: number | null): Promise<boolean>;
  unsubscribe(userNid: number, thread: ThreadName): Promise<void>;
  /** What has changed after a position, up to another, the newest first. */
  changes(userNid: number, after: number, upTo: number, limit: number): Promise<ThreadSubscription[]>;
}
