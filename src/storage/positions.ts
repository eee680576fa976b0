/** Streams whose changes live in memory alone. */
export type MemoryStream = "typing";

/** Gives positions to changes that are not stored. */
export interface PositionStore {
  /** Takes the next position for a change that concerns this room or user. It costs no write to disk. */
  take(stream: MemoryStream, nid: number): Promise<void>;
  /** Passes through the writer and writes nothing: whoever has its answer knows that writes get through. */
  pass(): Promise<void>;
}
