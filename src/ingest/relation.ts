import { isJsonObject, type JsonObject } from "../protocol/json.ts";
import type { EventRelation } from "../storage/commits.ts";

const maxLength = 255;

/** How an event relates to another (client-server API, "Forming relationships between events"). */
export function relationOf(content: JsonObject): EventRelation | undefined {
  const relatesTo = content["m.relates_to"];
  if (!isJsonObject(relatesTo)) return undefined;
  const { rel_type: relation, event_id: targetId, key } = relatesTo;
  if (typeof relation !== "string" || typeof targetId !== "string") return undefined;
  if (relation.length > maxLength || targetId.length > maxLength) return undefined;
  return { targetId, relation, key: typeof key === "string" ? key : null };
}
