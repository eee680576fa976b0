import type { ChangeDetails, Stream, StreamChange } from "../../streams.ts";
import type { Connection } from "./connection.ts";

/** Positions reserved at a time: what is stored is a ceiling, so a position that stores nothing costs no write. */
const blockSize = 4096;

export interface SequenceMark {
  readonly next: number;
  readonly ceiling: number;
  readonly changes: number;
}

/** The writer's sequence of stream positions. After a restart it goes on above everything ever handed out. */
export class Sequence {
  #next: number;
  #ceiling = 0;
  #changes: StreamChange[] = [];

  constructor(db: Connection) {
    const row = db.get<{ ceiling: number }>("SELECT ceiling FROM stream_sequence WHERE id = 1");
    this.#next = (row?.ceiling ?? 0) + 1;
  }

  get last(): number {
    return this.#next - 1;
  }

  next(db: Connection, stream: Stream, nid: number, details?: ChangeDetails): number {
    if (this.#next > this.#ceiling) {
      const ceiling = this.#next + blockSize;
      db.run(
        "INSERT INTO stream_sequence (id, ceiling) VALUES (1, ?) ON CONFLICT DO UPDATE SET ceiling = excluded.ceiling",
        ceiling,
      );
      this.#ceiling = ceiling;
    }
    const position = this.#next++;
    this.#changes.push({ position, stream, nid, ...details });
    return position;
  }

  /** Leaves positions out. */
  skip(positions: number): void {
    this.#next += positions;
  }

  /** Where the sequence stands, for `undo`. */
  mark(): SequenceMark {
    return { next: this.#next, ceiling: this.#ceiling, changes: this.#changes.length };
  }

  /**
   * Takes back the positions since a mark, when what was written since then is undone in the database. That includes the
   * ceiling, so a position above it must not be told to anybody: after a crash it would be given out again.
   */
  undo(mark: SequenceMark): void {
    this.#next = mark.next;
    this.#ceiling = mark.ceiling;
    this.#changes.length = mark.changes;
  }

  /** The changes since the last call, in order of position. */
  take(): StreamChange[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }
}
