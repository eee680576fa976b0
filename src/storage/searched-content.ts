import { isJsonObject } from "../protocol/json.ts";
import type { SearchedKey } from "./search-index.ts";

/** What of an event is searched. */
export interface SearchedContent {
  readonly key: SearchedKey;
  readonly text: string;
}

/**
 * What of a content is searched: `body` in `m.room.message`, `name` in `m.room.name`, `topic` in `m.room.topic`
 * (client-server API, "Server Side Search"); `undefined` when there is nothing. All text that the index is made of, and
 * that a result is held against, comes from here.
 */
export function searchedContent(
  type: string,
  content: Readonly<Record<string, unknown>>,
): SearchedContent | undefined {
  if (type === "m.room.message") return found("body", content["body"]);
  if (type === "m.room.name") return found("name", content["name"]);
  return type === "m.room.topic" ? found("topic", topicText(content)) : undefined;
}

/** "In `m.room.topic`, `content.topic` as well as the `body` of the `text/plain` representation in `m.topic`." */
function topicText(content: Readonly<Record<string, unknown>>): string {
  const texts = [content["topic"]];
  const extensible = content["m.topic"];
  const parts = isJsonObject(extensible) ? extensible["m.text"] : undefined;
  for (const part of Array.isArray(parts) ? parts : []) {
    if (isJsonObject(part) && (part["mimetype"] ?? "text/plain") === "text/plain") texts.push(part["body"]);
  }
  const distinct = new Set(texts.filter((text) => typeof text === "string"));
  return [...distinct].join("\n");
}

function found(key: SearchedKey, text: unknown): SearchedContent | undefined {
  return typeof text === "string" && text !== "" ? { key, text } : undefined;
}
