import { type ReceiptRow, unthreaded } from "../../storage/receipts.ts";

/** Up to where one user has read one room, thread by thread. */
export class ReadMarks {
  /** Position at which the user joined. */
  readonly joinedAt: number;
  /** Everything up to this position has been read, whatever its thread. */
  readonly everywhere: number;
  readonly #threads = new Map<string, number>();

  /**
   * @param joinedAt what came before is not theirs to read
   * @param receipts the user's own. Of `m.read` and `m.read.private` the one that is further ahead counts.
   */
  constructor(joinedAt: number, receipts: readonly Pick<ReceiptRow, "thread" | "eventPosition">[]) {
    this.joinedAt = joinedAt;
    let everywhere = joinedAt;
    for (const { thread, eventPosition } of receipts) {
      if (thread === unthreaded) everywhere = Math.max(everywhere, eventPosition);
      else this.#threads.set(thread, Math.max(this.#threads.get(thread) ?? eventPosition, eventPosition));
    }
    this.everywhere = everywhere;
  }

  /** Everything in a thread has been read up to this position. */
  upTo(thread: string): number {
    return Math.max(this.everywhere, this.#threads.get(thread) ?? this.everywhere);
  }
}
