import { isJsonObject, type JsonValue } from "../protocol/json.ts";

/** More than any room shows to those outside. */
const maxEvents = 100;
const maxEventLength = 65_536;
/** Of all of them. A room's name, topic and the like are short. */
const maxLength = 262_144;

/**
 * Stripped state that another server has sent, as texts that clients can be shown (client-server API, "Stripped state"):
 * since room version 12 whole events come in its place. What is no event is left out.
 */
export function strippedTexts(events: readonly JsonValue[]): string[] {
  const texts: string[] = [];
  let length = 0;
  for (const event of events.slice(0, maxEvents)) {
    if (!isJsonObject(event)) continue;
    const { sender, type, state_key: stateKey, content } = event;
    if (typeof sender !== "string" || typeof type !== "string" || typeof stateKey !== "string") continue;
    if (!isJsonObject(content)) continue;
    const text = JSON.stringify({ content, sender, state_key: stateKey, type });
    if (text.length > maxEventLength || length + text.length > maxLength) continue;
    length += text.length;
    texts.push(text);
  }
  return texts;
}
