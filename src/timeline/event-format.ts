import type { StoredEvent } from "../storage/events.ts";

/** How a filter wants events to look (client-server API, "Filtering": `event_format`, `event_fields`). */
export interface EventFormat {
  /** @param text the event in the clients' format, as JSON */
  apply(event: StoredEvent, text: string): string;
}
