import type { EventPresenter } from "../../timeline/event-presenter.ts";
import type { Reader } from "../../timeline/reader.ts";
import type { RoomViews } from "../../timeline/room-view.ts";
import type { StickyEventStream } from "../streams/sticky-events.ts";
import type { AnswerRooms } from "./extension-rooms.ts";
import type { UserRoom } from "./user-rooms.ts";

interface Extent {
  readonly since: number;
  readonly upTo: number;
  readonly limit: number;
}

interface Found {
  /** JSON values by room ID. */
  readonly byRoom: ReadonlyMap<string, string>;
  readonly upTo: number;
}

/** Reads the sticky events of all rooms that some rule of a request matches (MSC4480). */
export class ExtensionStickyEvents {
  readonly #stream: StickyEventStream;
  readonly #views: RoomViews;
  readonly #presenter: EventPresenter;

  constructor(stream: StickyEventStream, views: RoomViews, presenter: EventPresenter) {
    this.#stream = stream;
    this.#views = views;
    this.#presenter = presenter;
  }

  /** @returns `undefined` when there are none to tell, and none that are passed over */
  async read(
    reader: Reader,
    { selection, results }: AnswerRooms,
    { since, upTo, limit }: Extent,
  ): Promise<Found | undefined> {
    if (this.#stream.isEmpty) return undefined;
    const joined = [...selection.wanted.values()].filter(({ membership }) => membership === "join");
    // For a client that begins, no room is newer than another.
    const isNew = ({ position }: UserRoom) => since > 0 && position > since;
    const newRooms = new Set(joined.filter(isNew).map(({ roomNid }) => roomNid));
    const roomNids = joined.map(({ roomNid }) => roomNid);
    const found = await this.#stream.read({ reader, roomNids, newRooms, after: since, upTo, limit });
    const byRoom = new Map<string, string>();
    for (const [roomNid, events] of found.byRoom) {
      const shown = results.get(roomNid)?.timelineIds;
      const others = events.filter(({ eventId }) => !shown?.has(eventId));
      const roomId = selection.wanted.get(roomNid)?.roomId;
      if (others.length === 0 || roomId === undefined) continue;
      const texts = await this.#presenter.present(this.#views.of(roomNid, reader), others);
      byRoom.set(roomId, `{"events":[${texts.join(",")}]}`);
    }
    return found.byRoom.size > 0 ? { byRoom, upTo: found.upTo } : undefined;
  }
}
