/** Many texts share one, so that few pieces of memory hold them all. */
const blockBytes = 1024 * 1024;

interface Place {
  readonly block: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * Texts that are put aside for a while: as UTF-8 and outside of the heap. There a text that was joined from pieces would
 * take several times its length, and would be looked at by each collection of garbage.
 */
export class HeldTexts {
  #block = Buffer.alloc(0);
  #usedBytes = 0;
  readonly #places: Place[] = [];

  /** @returns the place to ask for it at */
  add(text: string): number {
    const sizeBytes = Buffer.byteLength(text);
    if (this.#usedBytes + sizeBytes > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(Math.max(blockBytes, sizeBytes));
      this.#usedBytes = 0;
    }
    const start = this.#usedBytes;
    this.#usedBytes += this.#block.write(text, start);
    return this.#places.push({ block: this.#block, start, end: this.#usedBytes }) - 1;
  }

  /** @throws RangeError for a place at which nothing is */
  at(index: number): string {
    const place = this.#places[index];
    if (!place) throw new RangeError(`no text is held at ${index}`);
    return place.block.toString("utf8", place.start, place.end);
  }

  clear(): void {
    this.#block = Buffer.alloc(0);
    this.#usedBytes = 0;
    this.#places.length = 0;
  }
}
