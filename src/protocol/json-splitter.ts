import { StrictJsonError } from "./errors.ts";

export interface JsonSplitterOptions {
  /** Members of the object whose values are lists too long to be held: each item is handed over by itself. */
  readonly lists: ReadonlySet<string>;
  /** Members that are kept whole. All others are passed over. */
  readonly kept: ReadonlySet<string>;
  /** An item of a list, or a member that is kept, may be this long. */
  readonly maxValueBytes: number;
  /** Is given the JSON text of an item, which it may keep. */
  readonly onItem: (list: string, text: Buffer) => void;
}

/** What comes next in the text, beside white space. */
type Place =
  | "object"
  | "first key"
  | "key"
  | "colon"
  | "value"
  | "after value"
  | "first item"
  | "item"
  | "after item"
  | "end";

const maxKeyBytes = 1_024;

/**
 * Takes a JSON object apart while it arrives: for answers of which one list alone would fill the memory. What it hands over
 * are texts of which it has seen no more than where they end: they have yet to be parsed.
 */
export class JsonSplitter {
  readonly #options: JsonSplitterOptions;
  readonly #kept = new Map<string, Buffer>();
  readonly #seen = new Set<string>();
  #place: Place = "object";
  #key = "";
  /** Finds the end of what is being read; `undefined` between values. */
  #reading: ValueEnd | undefined;
  /** What has come of it. */
  #pieces: Buffer[] = [];
  #sizeBytes = 0;

  constructor(options: JsonSplitterOptions) {
    this.#options = options;
  }

  /** @throws StrictJsonError for what is no JSON object, or has a part that is too long */
  push(chunk: Uint8Array): void {
    let index = 0;
    while (index < chunk.length) {
      if (!this.#reading) {
        const byte = chunk[index] ?? 0;
        if (isWhiteSpace(byte) || this.#isPunctuation(byte)) index += 1;
        else this.#reading = new ValueEnd();
        continue;
      }
      const end = this.#reading.find(chunk, index);
      this.#keep(chunk.subarray(index, end ?? chunk.length));
      if (end === undefined) return;
      this.#finish();
      index = end;
    }
  }

  /**
   * To be told when the text is over.
   * @returns the texts of the kept members
   * @throws StrictJsonError when the object has no end
   */
  end(): ReadonlyMap<string, Buffer> {
    if (this.#place !== "end") throw syntaxError("The text breaks off.");
    return this.#kept;
  }

  /**
   * Takes what stands between values.
   * @returns false for a byte with which a key, a value or an item begins
   * @throws StrictJsonError for one that may not stand here
   */
  #isPunctuation(byte: number): boolean {
    const character = String.fromCharCode(byte);
    const next = nextPlaces[this.#place]?.[character];
    if (next) {
      this.#place = next;
      return true;
    }
    if (this.#place === "value" && character === "[" && this.#options.lists.has(this.#key)) {
      this.#place = "first item";
      return true;
    }
    const begins = this.#place.endsWith("key") ? character === '"' : beginsValue(this.#place, character);
    if (!begins) throw syntaxError("The text is not a JSON object.");
    return false;
  }

  #keep(piece: Uint8Array): void {
    const isKey = this.#place.endsWith("key");
    if (this.#place === "value" && !this.#options.kept.has(this.#key)) return;
    this.#sizeBytes += piece.length;
    if (this.#sizeBytes > (isKey ? maxKeyBytes : this.#options.maxValueBytes)) {
      throw syntaxError(`${isKey ? "A key" : `A part of \`${this.#key}\``} is too long.`);
    }
    this.#pieces.push(Buffer.from(piece));
  }

  #finish(): void {
    const text = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#sizeBytes = 0;
    this.#reading = undefined;
    if (this.#place.endsWith("key")) {
      this.#key = keyOf(text);
      this.#checkKey();
      this.#place = "colon";
    } else if (this.#place === "value") {
      if (this.#options.kept.has(this.#key)) this.#kept.set(this.#key, text);
      this.#place = "after value";
    } else {
      this.#place = "after item";
      this.#options.onItem(this.#key, text);
    }
  }

  #checkKey(): void {
    const { lists, kept } = this.#options;
    if (!lists.has(this.#key) && !kept.has(this.#key)) return;
    if (this.#seen.has(this.#key))
      throw new StrictJsonError("duplicate-key", "The object has the same key twice.");
    this.#seen.add(this.#key);
  }
}

/** Where a character leads that stands between values. */
const nextPlaces: Readonly<Partial<Record<Place, Readonly<Record<string, Place>>>>> = {
  object: { "{": "first key" },
  "first key": { "}": "end" },
  colon: { ":": "value" },
  "after value": { ",": "key", "}": "end" },
  "first item": { "]": "after value" },
  "after item": { ",": "item", "]": "after value" },
};

function beginsValue(place: Place, character: string): boolean {
  return (
    (place === "value" || place.endsWith("item")) && place !== "after item" && !",:]}".includes(character)
  );
}

function keyOf(text: Buffer): string {
  try {
    return JSON.parse(text.toString()) as string;
  } catch (error) {
    throw new StrictJsonError("syntax", "A key is no JSON string.", { cause: error });
  }
}

function syntaxError(message: string): StrictJsonError {
  return new StrictJsonError("syntax", message);
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];

function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Finds the end of one JSON value, which may come in many chunks. */
class ValueEnd {
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** @returns the index after the value's last byte; `undefined` when the value goes on after the chunk */
  find(chunk: Uint8Array, start: number): number | undefined {
    for (let index = start; index < chunk.length; index++) {
      const byte = chunk[index] ?? 0;
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === backslash) this.#isEscaped = true;
        else if (byte === quote) {
          this.#isInString = false;
          if (this.#depth === 0) return index + 1;
        }
      } else if (byte === quote) {
        this.#isInString = true;
      } else if (byte === 0x7b || byte === 0x5b) {
        this.#depth += 1;
      } else if (byte === 0x7d || byte === 0x5d) {
        // The end of what the value is in, which has no brackets itself.
        if (this.#depth === 0) return index;
        this.#depth -= 1;
        if (this.#depth === 0) return index + 1;
      } else if (this.#depth === 0 && (byte === comma || isWhiteSpace(byte))) {
        return index;
      }
    }
    return undefined;
  }
}
