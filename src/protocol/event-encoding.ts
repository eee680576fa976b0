import { encodeCanonicalJson, encodeJsonString, sortedKeys } from "./canonical-json.ts";
import { keepsKey, redactContent } from "./redaction.ts";
import type { RoomVersion } from "./room-versions.ts";

/** An event at any stage of its making: what it must have is checked elsewhere. */
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
  }

  /** Everything but `unsigned`, `signatures` and `hashes` (server-server API, "Calculating the content hash"). */
  contentHashText(): string {
    return this.#join((key) => key !== "unsigned" && key !== "signatures" && key !== "hashes");
  }

  /**
   * The redacted event without `signatures` and `unsigned`: what a server signs, and what the reference hash covers
   * (server-server API, "Signing Events").
   */
  signedText(): string {
    return this.#join((key) => key !== "signatures" && keepsKey(this.#version, key), true);
  }

  /** The whole event as servers exchange it, without `unsigned`, which every server makes for itself. */
  text(): string {
    return this.#join((key) => key !== "unsigned");
  }

  #join(isIncluded: (key: string) => boolean, redacted = false): string {
    let text = "";
    for (const [index, key] of this.#keys.entries()) {
      if (!isIncluded(key)) continue;
      const member = redacted && key === "content" ? this.#redactedContent() : this.#members[index];
      text += `${text === "" ? "{" : ","}${member}`;
    }
    return text === "" ? "{}" : `${text}}`;
  }

  #redactedContent(): string {
    const content = redactContent(this.#version, this.#event["type"], this.#event["content"]);
    return encodeMember(this.#version, "content", content);
  }
}

function encodeMember(version: RoomVersion, key: string, value: unknown): string {
  return `${encodeJsonString(key)}:${encodeCanonicalJson(value, { strict: version.strictCanonicalJson })}`;
}
