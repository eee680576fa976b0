import { isJsonObject } from "../../protocol/json.ts";
import { searchedContent } from "../../storage/searched-content.ts";
import { matchesTerms, type SearchTerms } from "../../storage/search-terms.ts";
import type { SearchHit } from "../../storage/search-index.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { StoredEvent } from "../../storage/events.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { EventFilter } from "../../sync/event-filter.ts";
import type { Pace } from "../../telemetry/pace.ts";
import type { Aggregations } from "../../timeline/aggregations.ts";
import { contentOf } from "../../timeline/client-event.ts";
import type { Erasures } from "../../timeline/erasures.ts";
import type { EventFiltering } from "../../timeline/filtering.ts";
import type { Reader } from "../../timeline/reader.ts";
import type { RoomView, RoomViews } from "../../timeline/room-view.ts";

/** A message that somebody has found, may see, and finds in it what they looked for. */
export interface FoundEvent {
  readonly event: StoredEvent;
  readonly score: number;
  /** What was searched of it, as the searcher sees it. */
  readonly text: string;
}

/** For whom and with what in mind hits are looked at. */
export interface FindingContext {
  readonly reader: Reader;
  readonly terms: SearchTerms;
  readonly filter: EventFilter;
}

export interface FoundEventsParts {
  readonly events: EventReader;
  readonly views: RoomViews;
  readonly aggregations: Aggregations;
  readonly erasures: Erasures;
  readonly filtering: EventFiltering;
  readonly names: NameCache;
  readonly pace: Pace;
}

/** Edits after this are not known to anybody yet. */
const endOfTime = Number.MAX_SAFE_INTEGER;

/**
 * Looks at what the index has found with the eyes of the searcher. The index knows nothing of who may see what: whatever
 * hides text from some people has its place here and in the presenter.
 */
export class FoundEvents {
  readonly #parts: FoundEventsParts;

  constructor(parts: FoundEventsParts) {
    this.#parts = parts;
  }

  /**
   * The first of some hits that the searcher may see, `limit` at most.
   * @returns with them, how many hits were looked at
   */
  async take(
    context: FindingContext,
    hits: readonly SearchHit[],
    limit: number,
  ): Promise<{ readonly events: readonly FoundEvent[]; readonly looked: number }> {
    const views = new Map<number, RoomView>();
    const found: FoundEvent[] = [];
    let looked = 0;
    for (const hit of hits) {
      if (found.length === limit) break;
      looked += 1;
      const { roomNid } = hit;
      const view = views.get(roomNid) ?? this.#parts.views.of(roomNid, context.reader);
      views.set(roomNid, view);
      const event = await this.#found(context, view, hit);
      if (event) found.push(event);
      await this.#parts.pace.breathe();
    }
    return { events: found, looked };
  }

  async #found(
    { terms, filter }: FindingContext,
    view: RoomView,
    { eventNid, score }: SearchHit,
  ): Promise<FoundEvent | undefined> {
    const { events, filtering } = this.#parts;
    const stored = await events.find(eventNid);
    // What has been purged is forgotten by the index a little later.
    if (!stored || stored.position === null) return undefined;
    const visible = await view.visible([stored]);
    const [event] = await filtering.passed(filter, visible);
    if (!event) return undefined;
    const text = await this.#textOf(view, event);
    return matchesTerms(text, terms) ? { event, score, text } : undefined;
  }

  /** What the reader sees of an event: an edit that they may not see leaves what was there before. */
  async #textOf(view: RoomView, event: StoredEvent): Promise<string> {
    const { aggregations, erasures, names } = this.#parts;
    const summed = await aggregations.of(view, [event], endOfTime);
    const replacement = summed.get(event.eventId)?.replacement;
    const [shown = event] = await erasures.shown(view, [replacement ?? event]);
    const own = contentOf(shown.common);
    const content = replacement ? own["m.new_content"] : own;
    const type = await names.eventType(event.typeNid);
    return isJsonObject(content) ? (searchedContent(type, content)?.text ?? "") : "";
  }
}
