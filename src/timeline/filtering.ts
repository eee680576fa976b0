import { isJsonObject } from "../protocol/json.ts";
import type { StoredEvent } from "../storage/events.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { RelationStore } from "../storage/relations.ts";
import type { EventFilter, FilteredEvent } from "../sync/event-filter.ts";
import { contentOf } from "./client-event.ts";

/** Applies clients' filters to events as they are stored. */
export class EventFiltering {
  readonly #names: NameCache;
  readonly #relations: RelationStore;

  constructor(names: NameCache, relations: RelationStore) {
    this.#names = names;
    this.#relations = relations;
  }

  /** Those of some events of one room that pass a filter, in their order. Whether the room passes is not looked at. */
  async passed(filter: EventFilter, events: readonly StoredEvent[]): Promise<readonly StoredEvent[]> {
    if (filter.matchesAll || events.length === 0) return this.#related(filter, events);
    const passed: StoredEvent[] = [];
    for (const event of events) {
      if (filter.matches(await this.#filtered(event))) passed.push(event);
    }
    return this.#related(filter, passed);
  }

  async #filtered(event: StoredEvent): Promise<FilteredEvent> {
    const content = contentOf(event.common);
    const relation = content["m.relates_to"];
    const relationType = isJsonObject(relation) ? relation["rel_type"] : undefined;
    return {
      type: await this.#names.eventType(event.typeNid),
      sender: await this.#names.userId(event.senderNid),
      containsUrl: typeof content["url"] === "string",
      relationType: typeof relationType === "string" ? relationType : undefined,
    };
  }

  /** Leaves the events to which others relate in the ways that the filter wants (MSC3440). */
  async #related(filter: EventFilter, events: readonly StoredEvent[]): Promise<readonly StoredEvent[]> {
    const { relatedByTypes, relatedBySenders } = filter;
    const [first] = events;
    if (!first || (!relatedByTypes && !relatedBySenders)) return events;
    const senderNids = relatedBySenders && (await this.#knownUsers(relatedBySenders));
    const ids = events.map(({ eventId }) => eventId);
    const related = new Set(
      await this.#relations.relatedTargets(first.roomNid, ids, relatedByTypes ?? null, senderNids ?? null),
    );
    return events.filter(({ eventId }) => related.has(eventId));
  }

  async #knownUsers(userIds: readonly string[]): Promise<number[]> {
    const nids = await Promise.all(userIds.map((userId) => this.#names.findUser(userId)));
    return nids.filter((nid) => nid !== undefined);
  }
}
