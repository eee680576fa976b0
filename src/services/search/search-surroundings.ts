import type { EventReader } from "../../state/event-reader.ts";
import { everyEvent } from "../../sync/filter.ts";
import { contentOf } from "../../timeline/client-event.ts";
import type { EventPresenter } from "../../timeline/event-presenter.ts";
import type { MemberEvents } from "../../timeline/member-events.ts";
import { roomStateAfter, startOfTime } from "../../timeline/room-timelines.ts";
import type { StoredEvent } from "../../storage/events.ts";
import type { ReadableRoom } from "../reading/reading-access.ts";
import type { TimelinePages } from "../reading/timeline-pages.ts";

/** How much around each result is wanted. */
export interface ContextWish {
  readonly before: number;
  readonly after: number;
  readonly withProfiles: boolean;
}

/** What lies around a result. Events as JSON. */
export interface ResultContext {
  /** The closest first, in both. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Positions to read on from, on either side. */
  readonly start: number;
  readonly end: number;
  /** By user ID, as they were at the result. */
  readonly profiles: Readonly<Record<string, ShownProfile>> | undefined;
}

interface ShownProfile {
  readonly displayname?: string;
  readonly avatar_url?: string;
}

export interface SearchSurroundingsParts {
  readonly pages: TimelinePages;
  readonly presenter: EventPresenter;
  readonly members: MemberEvents;
  readonly events: EventReader;
}

/** Reads what lies around results (client-server API, "Server Side Search": `event_context`). */
export class SearchSurroundings {
  readonly #parts: SearchSurroundingsParts;

  constructor(parts: SearchSurroundingsParts) {
    this.#parts = parts;
  }

  async of(readable: ReadableRoom, event: StoredEvent, wish: ContextWish): Promise<ResultContext> {
    const position = event.position ?? 0;
    const { room, view, until } = readable;
    const before = await this.#side(readable, "b", position - 1, wish.before);
    const after = await this.#side(readable, "f", position, wish.after);
    const options = { roomId: room.roomId, aggregateUpTo: until };
    return {
      before: await this.#parts.presenter.present(view, before, options),
      after: await this.#parts.presenter.present(view, after, options),
      start: (before.at(-1)?.position ?? position) - 1,
      end: after.at(-1)?.position ?? position,
      profiles: wish.withProfiles ? await this.#profiles(event, [...before, event, ...after]) : undefined,
    };
  }

  async #side(
    readable: ReadableRoom,
    direction: "b" | "f",
    point: number,
    limit: number,
  ): Promise<readonly StoredEvent[]> {
    if (limit === 0) return [];
    const range =
      direction === "b" ? { after: startOfTime, upTo: point } : { after: point, upTo: readable.until };
    return (await this.#parts.pages.read(readable, { direction, ...range, limit }, everyEvent)).events;
  }

  /** "The historic profile information of the users that sent the events returned." */
  async #profiles(event: StoredEvent, shown: readonly StoredEvent[]): Promise<Record<string, ShownProfile>> {
    const members = await this.#parts.members.of(roomStateAfter(event), shown);
    const profiles: [string, ShownProfile][] = [];
    for (const { common } of await this.#parts.events.storedAll([...members.values()])) {
      const { state_key: userId } = JSON.parse(`{${common}}`) as { readonly state_key: string };
      const { displayname, avatar_url } = contentOf(common);
      profiles.push([
        userId,
        {
          ...(typeof displayname === "string" && { displayname }),
          ...(typeof avatar_url === "string" && avatar_url.startsWith("mxc://") && { avatar_url }),
        },
      ]);
    }
    return Object.fromEntries(profiles);
  }
}
