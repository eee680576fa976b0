import type { Room } from "../state/room-index.ts";
import type { EventReader } from "../state/event-reader.ts";
import { roomStateAfter, startOfTime } from "../timeline/room-timelines.ts";
import { type RoomPart, type RoomPartsReader, timelinePieces } from "./joined-rooms.ts";
import type { LeftRoom } from "./room-list.ts";
import type { StateRange } from "./state-section.ts";
import type { SyncRound } from "./sync-request.ts";
import { emptyWindow, type TimelineWindow } from "./timeline-window.ts";

/** Makes the parts of rooms that the user has left or been banned from (client-server API, "Syncing": `Left Room`). */
export class LeftRooms {
  readonly #parts: RoomPartsReader;
  readonly #events: EventReader;

  constructor(parts: RoomPartsReader, events: EventReader) {
    this.#parts = parts;
    this.#events = events;
  }

  /** @param accountData events as JSON */
  async read(
    round: SyncRound,
    room: Room,
    left: LeftRoom,
    accountData: readonly string[],
  ): Promise<RoomPart> {
    const { request, reader } = round;
    const { states, views } = this.#parts;
    const view = views.of(room.roomNid, reader);
    const range = left.history === "none" ? undefined : await this.#range(round, left);
    const window = range
      ? await states.windowFor(round, await this.#window(round, room, left), range.end)
      : await this.#departure(left);
    const state = range
      ? await states.read(round, room, window, range, [])
      : { pieces: [], sent: new Map<number, number>() };
    return {
      pieces: [
        `{"${request.stateSection}":{"events":[`,
        ...state.pieces,
        "]},",
        ...(await timelinePieces(this.#parts.presenter, view, window, { ...round, upTo: left.position })),
        `,"account_data":{"events":[${accountData.join(",")}]}}`,
      ],
      sent: state.sent,
    };
  }

  async #window({ request, reader }: SyncRound, room: Room, left: LeftRoom): Promise<TimelineWindow> {
    const { timeline } = request.filter;
    const after = left.history === "known" ? (request.since?.position ?? startOfTime) : startOfTime;
    if (!timeline.matchesRoom(room.roomId)) {
      return emptyWindow(left.position);
    }
    const view = this.#parts.views.of(room.roomNid, reader);
    return this.#parts.windows.read(view, room.roomNid, after, left.position, timeline);
  }

  /** Whoever was never in the room sees nothing of it but that they have turned it down, or were turned away. */
  async #departure({ eventNid, position }: LeftRoom): Promise<TimelineWindow> {
    const event = await this.#events.stored(eventNid);
    return { events: [event], limited: false, prevBatch: position - 1, isWhole: true, newest: event };
  }

  async #range({ request }: SyncRound, left: LeftRoom): Promise<StateRange> {
    const { timelines } = this.#parts;
    const last = await timelines.at(left.roomNid, left.position);
    const end = last ? roomStateAfter(last) : null;
    if (left.history === "new" || request.since === undefined || request.fullState)
      return { known: undefined, end };
    const known = await timelines.at(left.roomNid, request.since.position);
    return { known: known ? roomStateAfter(known) : null, end };
  }
}
