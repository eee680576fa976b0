import { type Stream, type StreamChange, streamScopes } from "../storage/streams.ts";

/**
 * What may have changed for a user since they synced last, going by the names of the changes alone. Who is told "may
 * have" looks closer; what is not named has not changed.
 */
export class PossibleChanges {
  /** Integer IDs of rooms and users by stream; `undefined` when the changes are too long ago to be remembered. */
  readonly #named: ReadonlyMap<Stream, ReadonlySet<number>> | undefined;
  /** Whether anybody has come into one of the user's rooms, or has gone. */
  readonly memberMoves: boolean;

  /**
   * @param changes after the user's last sync, or `undefined` when they are not remembered
   * @param joined the rooms that the user is joined to now
   */
  constructor(changes: readonly StreamChange[] | undefined, userNid: number, joined: ReadonlySet<number>) {
    this.memberMoves = !changes;
    if (!changes) return;
    const named = new Map<Stream, Set<number>>();
    for (const { stream, nid, membership } of changes) {
      if (membership && joined.has(membership.roomNid)) this.memberMoves = true;
      const scope = streamScopes[stream];
      if (scope === "room" ? !joined.has(nid) : scope === "user" && nid !== userNid) continue;
      const nids = named.get(stream);
      if (nids) nids.add(nid);
      else named.set(stream, new Set([nid]));
    }
    this.#named = named;
  }

  /** Whether a stream may bring anything. */
  has(stream: Stream): boolean {
    return !this.#named || this.#named.has(stream);
  }

  /** Whether a stream has certainly changed. */
  isNamed(stream: Stream): boolean {
    return this.#named?.has(stream) ?? false;
  }

  /** The rooms or users of a stream that may have changed; `undefined` when that may be any. */
  of(stream: Stream): ReadonlySet<number> | undefined {
    return this.#named && (this.#named.get(stream) ?? nobody);
  }

  /** Nothing that may concern the user has changed. */
  get isEmpty(): boolean {
    return this.#named !== undefined && this.#named.size === 0 && !this.memberMoves;
  }
}

const nobody: ReadonlySet<number> = new Set();
