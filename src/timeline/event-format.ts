import { isJsonObject, type JsonObject } from "../protocol/json.ts";
import type { StoredEvent } from "../storage/events.ts";
import type { SyncFilter } from "../sync/filter.ts";

/** How a filter wants events to look (client-server API, "Filtering": `event_format`, `event_fields`). */
export interface EventFormat {
  /**
   * @param text the event in the clients' format, as JSON
   * @returns JSON too
   */
  apply(event: StoredEvent, text: string): string;
}

/** The format that a filter asks for; `undefined` for whole events in the clients' format, which need no work. */
export function eventFormatOf({ eventFields, eventFormat }: SyncFilter): EventFormat | undefined {
  if (!eventFields && eventFormat === "client") return undefined;
  return {
    apply(event, text) {
      const whole =
        eventFormat === "federation" ? { ...parse(`{${event.federation}}`), ...parse(text) } : parse(text);
      return JSON.stringify(eventFields ? eventFields.select(whole) : whole);
    },
  };
}

function parse(text: string): JsonObject {
  const json: unknown = JSON.parse(text);
  return isJsonObject(json) ? json : {};
}
