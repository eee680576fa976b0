import { isJsonObject, type JsonValue } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";

const statusNames: ReadonlySet<string> = new Set(["m.status", "org.matrix.msc4426.status"]);
const callNames: ReadonlySet<string> = new Set(["m.call", "org.matrix.msc4426.call"]);
const maxTextBytes = 256;
const maxEmojiBytes = 32;

/**
 * Checks what a user says about what they are doing, and about a call that they are in (MSC4426).
 * @returns what is too large in it
 * @throws MatrixError M_BAD_JSON.
 */
export function oversizedStatus(name: string, value: JsonValue): string | undefined {
  if (callNames.has(name)) checkCall(name, value);
  if (!statusNames.has(name)) return undefined;
  const { text, emoji } = isJsonObject(value) ? value : {};
  if (typeof text !== "string" || typeof emoji !== "string") {
    throw new MatrixError("M_BAD_JSON", `${name} must be an object with the strings text and emoji`);
  }
  if (Buffer.byteLength(text) > maxTextBytes) return `text may have at most ${maxTextBytes} bytes`;
  return Buffer.byteLength(emoji) > maxEmojiBytes
    ? `emoji may have at most ${maxEmojiBytes} bytes`
    : undefined;
}

function checkCall(name: string, value: JsonValue): void {
  const joinedTs = isJsonObject(value) ? (value["call_joined_ts"] ?? 0) : undefined;
  if (typeof joinedTs === "number") return;
  throw new MatrixError(
    "M_BAD_JSON",
    `${name} must be an object; its call_joined_ts is a number, if it is there`,
  );
}
