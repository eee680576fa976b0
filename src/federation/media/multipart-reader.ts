/** A body that is no multipart message, or breaks off before its end. */
export class MultipartError extends Error {
  constructor(what: string) {
    super(`the body is no multipart message: ${what}`);
    this.name = "MultipartError";
  }
}

export interface MultipartPart {
  /** By their names in small letters. */
  readonly headers: ReadonlyMap<string, string>;
  /** To be read once, before the next part is asked for. @throws MultipartError when it breaks off */
  readonly body: AsyncIterable<Buffer>;
}

const maxHeaderBytes = 8 * 1024;
const emptyLine = Buffer.from("\r\n\r\n");
const [space, tab, carriageReturn, hyphen] = [0x20, 0x09, 0x0d, 0x2d];
const headerLine = /^([\w!#$%&'*+.^`|~-]+):[\t ]*([^\0\r\n]*)$/;

/**
 * Reads a multipart body while it arrives (RFC 2046, section 5.1), holding no more of it than a piece and the headers of a
 * part. What comes after the last part is not read.
 * @param boundary as the `Content-Type` names it
 * @throws MultipartError, and what the source throws
 */
export async function* multipartParts(
  source: AsyncIterable<Buffer>,
  boundary: string,
): AsyncGenerator<MultipartPart, void> {
  const reader = new BoundaryReader(source, boundary);
  try {
    // What comes before the first boundary belongs to nobody.
    await skip(reader.untilBoundary());
    while (!(await reader.isAtEnd())) {
      const headers = headersOf(await reader.headerBlock());
      const body = reader.untilBoundary();
      yield { headers, body };
      await skip(body);
    }
  } finally {
    await reader.close();
  }
}

class BoundaryReader {
  readonly #source: AsyncIterator<Buffer>;
  readonly #delimiter: Buffer;
  /** A boundary follows the end of a line, of which the first one need not have any before it. */
  #held: Buffer = Buffer.from("\r\n");

  constructor(source: AsyncIterable<Buffer>, boundary: string) {
    this.#source = source[Symbol.asyncIterator]();
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
  }

  /** Tells the source that nobody reads on. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** The bytes up to the next boundary, which is passed over. */
  async *untilBoundary(): AsyncGenerator<Buffer> {
    for (;;) {
      const at = await this.#findDelimiter();
      if (at > 0) yield this.#take(at);
      if (!this.#startsWithDelimiter()) continue;
      if (this.#isDelimiterLine()) {
        this.#take(this.#delimiter.length);
        return;
      }
      // It only looks like one: another boundary may begin with the same characters.
      yield this.#take(this.#delimiter.length);
    }
  }

  /** After a boundary: whether it was the last one. */
  async isAtEnd(): Promise<boolean> {
    await this.#hold(2);
    return this.#held[0] === hyphen && this.#held[1] === hyphen;
  }

  /** After a boundary: what is left of its line, and the headers, with their last line's end. */
  async headerBlock(): Promise<string> {
    for (let from = 0; ; ) {
      const at = this.#held.indexOf(emptyLine, from);
      if (at > maxHeaderBytes || (at === -1 && this.#held.length > maxHeaderBytes)) {
        throw new MultipartError("a part has too long headers");
      }
      if (at !== -1) {
        const block = this.#take(at + 2).toString("utf8");
        this.#take(2);
        return block;
      }
      from = Math.max(0, this.#held.length - emptyLine.length);
      await this.#more();
    }
  }

  /** How many bytes come before the next delimiter, or before what may be the beginning of one. */
  async #findDelimiter(): Promise<number> {
    // The byte after it tells whether it is one.
    await this.#hold(this.#delimiter.length + 1);
    const at = this.#held.indexOf(this.#delimiter);
    return at === -1 ? this.#held.length - this.#delimiter.length + 1 : at;
  }

  #startsWithDelimiter(): boolean {
    const { length } = this.#delimiter;
    return this.#held.length > length && this.#held.subarray(0, length).equals(this.#delimiter);
  }

  #isDelimiterLine(): boolean {
    const next = this.#held[this.#delimiter.length];
    return next === carriageReturn || next === hyphen || next === space || next === tab;
  }

  #take(bytes: number): Buffer {
    const taken = this.#held.subarray(0, bytes);
    this.#held = this.#held.subarray(bytes);
    return taken;
  }

  async #hold(bytes: number): Promise<void> {
    while (this.#held.length < bytes) await this.#more();
  }

  async #more(): Promise<void> {
    const next = await this.#source.next();
    if (next.done === true) throw new MultipartError("it breaks off");
    this.#held = this.#held.length === 0 ? next.value : Buffer.concat([this.#held, next.value]);
  }
}

/** Reads what is left of a part. */
async function skip(body: AsyncIterable<Buffer>): Promise<void> {
  const pieces = body[Symbol.asyncIterator]();
  while ((await pieces.next()).done !== true);
}

function headersOf(block: string): ReadonlyMap<string, string> {
  // RFC 5322, section 2.2.3: a line that begins with white space goes on with the one before it.
  const [padding = "", ...lines] = block.replaceAll(/\r\n(?=[\t ])/g, "").split("\r\n");
  if (padding.trim() !== "" || lines.pop() !== "") throw new MultipartError("a boundary is followed by text");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = headerLine.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new MultipartError("a header is malformed");
    headers.set(name.toLowerCase(), value.trim());
  }
  return headers;
}
