import { isJsonObject } from "../protocol/json.ts";
import type { StoredEvent } from "../storage/events.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { EventFilter, FilteredEvent } from "../sync/event-filter.ts";
import { contentOf } from "./client-event.ts";

/** Those of some events that pass a filter, in their order. Rooms are not looked at. */
export async function filterEvents(
  names: NameCache,
  filter: EventFilter,
  events: readonly StoredEvent[],
): Promise<readonly StoredEvent[]> {
  if (filter.matchesAll) return events;
  const passed: StoredEvent[] = [];
  for (const event of events) {
    if (filter.matches(await filteredEvent(names, event))) passed.push(event);
  }
  return passed;
}

async function filteredEvent(names: NameCache, event: StoredEvent): Promise<FilteredEvent> {
  const content = contentOf(event.common);
  const relation = content["m.relates_to"];
  const relationType = isJsonObject(relation) ? relation["rel_type"] : undefined;
  return {
    type: await names.eventType(event.typeNid),
    sender: await names.userId(event.senderNid),
    containsUrl: typeof content["url"] === "string",
    relationType: typeof relationType === "string" ? relationType : undefined,
  };
}
