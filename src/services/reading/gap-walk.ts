import type { Room } from "../../state/room-index.ts";
import type { EventStore } from "../../storage/events.ts";
import type { HistoryForRequest } from "./remote-history.ts";

/** Somebody who looks for few events among many goes on with the next request. */
const maxSteps = 4;

/** A way back through a room's timeline, from gap to gap, which are filled as far as one request can wait. */
export class GapWalk {
  readonly #store: Pick<EventStore, "gaps">;
  readonly #room: Room;
  readonly #history: HistoryForRequest;
  readonly #after: number;
  /** Everything after this position has been gone through. */
  #upTo: number;
  #gap: number | undefined;
  #crossed = Number.POSITIVE_INFINITY;
  #steps = 0;

  /** @param range positions after `after`, up to and including `upTo` */
  constructor(
    store: Pick<EventStore, "gaps">,
    room: Room,
    history: HistoryForRequest,
    range: { readonly after: number; readonly upTo: number },
  ) {
    this.#store = store;
    this.#room = room;
    this.#history = history;
    this.#after = range.after;
    this.#upTo = range.upTo;
  }

  /** Nothing is missing after this position, up to where the last one was; `undefined` when that is so of all the rest. */
  async floor(): Promise<number | undefined> {
    const gaps = await this.#store.gaps(this.#room.roomNid);
    // One that the range begins right after is part of it.
    this.#gap = gaps.findLast(
      (position) => position <= this.#upTo + 1 && position > this.#after && position < this.#crossed,
    );
    return this.#gap === undefined ? undefined : this.#gap - 1;
  }

  /** Gets what is missing there. @returns false when it may be there later only, for who asks again */
  async goOn(): Promise<boolean> {
    if (this.#gap === undefined || this.#steps === maxSteps) return false;
    this.#steps += 1;
    const outcome = await this.#history.fillGap(this.#room, this.#gap);
    if (outcome === "pending") return false;
    // Where nobody can fill it for now, there may be more before it.
    if (outcome === "unavailable") this.#crossed = this.#gap;
    this.#upTo = this.#gap - 1;
    return true;
  }
}
