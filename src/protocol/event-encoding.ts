import { encodeCanonicalJson, encodeJsonString, maxJsonDepth, sortedKeys } from "./canonical-json.ts";
import { keepsKey, redactContent } from "./redaction.ts";
import type { RoomVersion } from "./room-versions.ts";

/** An event at any stage of its making: which keys it must have is checked elsewhere. */
export type EventLike = Readonly<Record<string, unknown>>;

/**
 * The canonical JSON of an event, kept member by member. An event is hashed, signed and stored in three forms that differ
 * in a few members only: each member is encoded once, and the forms are joined from the pieces.
 */
export class EncodedEvent {
  readonly #version: RoomVersion;
  readonly #event: EventLike;
  readonly #keys: readonly string[];
  /** Parallel to the keys: `"key":value`. */
  readonly #members: string[];
  #signedBytes: Buffer | undefined;

  /** @throws CanonicalJsonError if a member has no canonical JSON in the room version */
  constructor(version: RoomVersion, event: EventLike) {
    this.#version = version;
    this.#event = event;
    this.#keys = sortedKeys(event);
    this.#members = this.#keys.map((key) => encodeMember(version, key, event[key]));
  }

  /** Encodes a member that the event already had anew, after its value has changed. */
  update(key: "hashes" | "signatures"): void {
    this.#members[this.#keys.indexOf(key)] = encodeMember(this.#version, key, this.#event[key]);
    this.#signedBytes = undefined;
  }

  /** Everything but `unsigned`, `signatures` and `hashes` (server-server API, "Calculating the content hash"). */
  contentHashText(): string {
    return this.#join((key) => key !== "unsigned" && key !== "signatures" && key !== "hashes", this.#members);
  }

  /**
   * The redacted event without `signatures` and `unsigned`, in UTF-8: what servers sign, and what the reference hash covers
   * (server-server API, "Signing Events").
   */
  signedBytes(): Uint8Array {
    this.#signedBytes ??= Buffer.from(this.#signedText());
    return this.#signedBytes;
  }

  /** The whole event as servers exchange it, without `unsigned`, which every server makes for itself. */
  text(): string {
    return this.#join((key) => key !== "unsigned", this.#members);
  }

  /** Some of the event's members in canonical order, without the braces: a piece of a larger text. */
  members(isIncluded: (key: string) => boolean): string {
    let text = "";
    for (let index = 0; index < this.#members.length; index++) {
      if (isIncluded(this.#keys[index] ?? "")) text += `${text === "" ? "" : ","}${this.#members[index]}`;
    }
    return text;
  }

  #signedText(): string {
    const members = this.#members.slice();
    const content = this.#keys.indexOf("content");
    if (content !== -1) {
      const redacted = redactContent(this.#version, this.#event["type"], this.#event["content"]);
      members[content] = encodeMember(this.#version, "content", redacted);
    }
    return this.#join((key) => key !== "signatures" && keepsKey(this.#version, key), members);
  }

  #join(isIncluded: (key: string) => boolean, members: readonly string[]): string {
    let text = "";
    for (let index = 0; index < members.length; index++) {
      if (isIncluded(this.#keys[index] ?? "")) text += `${text === "" ? "{" : ","}${members[index]}`;
    }
    return text === "" ? "{}" : `${text}}`;
  }
}

/** Less than JSON as a whole may be nested, since events are sent inside of lists inside of objects. */
const maxMemberDepth = maxJsonDepth - 8;

function encodeMember({ strictCanonicalJson: strict }: RoomVersion, key: string, value: unknown): string {
  return `${encodeJsonString(key)}:${encodeCanonicalJson(value, { strict, maxDepth: maxMemberDepth })}`;
}
