import type { NameCache } from "../../storage/name-cache.ts";
import { highlightsIn } from "../../storage/search-terms.ts";
import type { RoomIndex } from "../../state/room-index.ts";
import type { Pace } from "../../telemetry/pace.ts";
import type { EventPresenter } from "../../timeline/event-presenter.ts";
import type { Reader } from "../../timeline/reader.ts";
import { type StateTexts, wholeState } from "../../timeline/state-texts.ts";
import { streamToken } from "../../timeline/stream-token.ts";
import type { ReadableRoom, ReadingAccess } from "../reading/reading-access.ts";
import type { FoundEvent } from "./found-events.ts";
import type { SearchPage } from "./search.ts";
import type { ContextWish, ResultContext, SearchSurroundings } from "./search-surroundings.ts";
import { type SearchScope, searchToken } from "./search-token.ts";

/** What an answer is to have beside the results. */
export interface AnswerWish {
  readonly context: ContextWish | undefined;
  readonly withState: boolean;
  readonly groupBy: readonly SearchScope["key"][];
}

export interface SearchAnswersParts {
  readonly access: ReadingAccess;
  readonly rooms: RoomIndex;
  readonly names: NameCache;
  readonly presenter: EventPresenter;
  readonly stateTexts: StateTexts;
  readonly surroundings: SearchSurroundings;
  readonly pace: Pace;
}

/** A result in a room that the searcher may read. */
interface ReadableResult extends FoundEvent {
  readonly readable: ReadableRoom;
}

/** Events around all results of a page together: what is wanted around each is cut down to it. */
const maxSurroundingEvents = 1_000;

/** Writes what has been found as clients get it (client-server API, "Server Side Search": `room_events`). */
export class SearchAnswers {
  readonly #parts: SearchAnswersParts;

  constructor(parts: SearchAnswersParts) {
    this.#parts = parts;
  }

  /** @returns the JSON of `room_events`, in pieces */
  async write(
    user: Omit<Reader, "ignored">,
    page: SearchPage,
    wish: AnswerWish,
  ): Promise<(string | Buffer)[]> {
    const results = await this.#readable(user, page.results);
    const texts: string[] = [];
    for (const result of results) {
      texts.push(await this.#result(result, wish, results.length));
      await this.#parts.pace.breathe();
    }
    const highlights = highlightsIn(
      results.map(({ text }) => text),
      page.terms,
    );
    const groups = await this.#groups(results, page, wish.groupBy);
    return [
      `{"count":${page.count},"highlights":${JSON.stringify(highlights)},"results":[${texts.join(",")}]`,
      page.next ? `,"next_batch":"${searchToken(page.next)}"` : "",
      groups ? `,"groups":${JSON.stringify(groups)}` : "",
      ...(wish.withState ? await this.#states(results) : []),
      "}",
    ];
  }

  /** Whoever has lost a room in this very moment gets nothing of it. */
  async #readable(user: Omit<Reader, "ignored">, found: readonly FoundEvent[]): Promise<ReadableResult[]> {
    const byRoom = new Map<number, ReadableRoom | undefined>();
    const results: ReadableResult[] = [];
    for (const result of found) {
      const { roomNid } = result.event;
      if (!byRoom.has(roomNid)) {
        const { roomId } = await this.#parts.rooms.byNid(roomNid);
        byRoom.set(roomNid, await this.#parts.access.find(roomId, user));
      }
      const readable = byRoom.get(roomNid);
      if (readable) results.push({ ...result, readable });
    }
    return results;
  }

  async #result(
    { event, score, readable }: ReadableResult,
    wish: AnswerWish,
    results: number,
  ): Promise<string> {
    const { room, view, until } = readable;
    const options = { roomId: room.roomId, aggregateUpTo: until };
    const [text = "{}"] = await this.#parts.presenter.present(view, [event], options);
    const result = `{"rank":${score},"result":${text}`;
    if (!wish.context) return `${result}}`;
    const most = Math.floor(maxSurroundingEvents / results / 2);
    const context = await this.#parts.surroundings.of(readable, event, {
      ...wish.context,
      before: Math.min(wish.context.before, most),
      after: Math.min(wish.context.after, most),
    });
    return `${result},"context":${contextText(context)}}`;
  }

  /** The results of each room or sender, in order. A group goes on where the whole page does. */
  async #groups(results: readonly ReadableResult[], { next }: SearchPage, keys: AnswerWish["groupBy"]) {
    if (keys.length === 0) return undefined;
    const groups: Record<string, Record<string, object>> = {};
    for (const key of keys) {
      const members = new Map<string, string[]>();
      for (const { event, readable } of results) {
        const value =
          key === "room_id" ? readable.room.roomId : await this.#parts.names.userId(event.senderNid);
        members.set(value, [...(members.get(value) ?? []), event.eventId]);
      }
      const entries = [...members].map(([value, eventIds], index) => [
        value,
        {
          order: index + 1,
          results: eventIds,
          ...(next && { next_batch: searchToken({ ...next, scope: { key, value } }) }),
        },
      ]);
      groups[key] = Object.fromEntries(entries);
    }
    return groups;
  }

  /** "The current state for every room in the results", or that at which the searcher has left. */
  async #states(results: readonly ReadableResult[]): Promise<(string | Buffer)[]> {
    const pieces: (string | Buffer)[] = [];
    for (const { room, snapshotNid } of new Map(
      results.map(({ readable }) => [readable.room, readable]),
    ).values()) {
      if (snapshotNid === null) continue;
      const { stateTexts, pace } = this.#parts;
      const state = await stateTexts.of(room.roomNid, snapshotNid, wholeState, pace, room.roomId);
      pieces.push(`${pieces.length === 0 ? "" : ","}${JSON.stringify(room.roomId)}:[`, state, "]");
    }
    return [`,"state":{`, ...pieces, "}"];
  }
}

function contextText({ before, after, start, end, profiles }: ResultContext): string {
  const profileInfo = profiles ? `,"profile_info":${JSON.stringify(profiles)}` : "";
  return (
    `{"start":"${streamToken(start)}","end":"${streamToken(end)}","events_before":[${before.join(",")}]` +
    `,"events_after":[${after.join(",")}]${profileInfo}}`
  );
}
