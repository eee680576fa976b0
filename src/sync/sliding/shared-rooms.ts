import { streamToken } from "../../timeline/stream-token.ts";
import { EventFilter } from "../event-filter.ts";
import type { SharedTimeline, SharedTimelines } from "../shared-timelines.ts";
import type { StateEntries } from "../state-difference.ts";
import { limitOf, type TimelineWindow } from "../timeline-window.ts";
import type { BumpStamps } from "./bump-stamps.ts";
import type { RoomProfiles } from "./room-profiles.ts";
import type { SelectedRoom } from "./room-selection.ts";
import type { RoomStates } from "./room-state.ts";
import type { SlidingRound } from "./sliding-request.ts";

/** What all get alike who are new to a room, by the same rules. */
export interface SharedRoom {
  readonly window: TimelineWindow;
  /** The room's state after it. */
  readonly end: number;
  /** Members of a JSON object. */
  readonly text: string;
  /** State events as JSON, joined by commas. */
  readonly state: string;
  /** Members among them that are loaded lazily, by state pair. */
  readonly lazy: StateEntries;
  readonly hasName: boolean;
  readonly bumpStamp: number | undefined;
  readonly timelineIds: ReadonlySet<string>;
}

export interface SharedRoomsParts {
  readonly timelines: SharedTimelines;
  readonly states: RoomStates;
  readonly profiles: RoomProfiles;
  readonly bumpStamps: BumpStamps;
}

const nobody: StateEntries = new Map();

interface Made {
  readonly rules: string;
  readonly room: Promise<SharedRoom>;
}

/** Makes what is the same for many. It ends with the timeline that is part of it, at the next change of the room. */
export class SharedRooms {
  readonly #parts: SharedRoomsParts;
  /** By the rules that somebody has asked by last. */
  readonly #rooms = new WeakMap<SharedTimeline, Made>();

  constructor(parts: SharedRoomsParts) {
    this.#parts = parts;
  }

  /**
   * A room that the reader is joined to.
   * @returns `undefined` where they have to have it made for them alone
   */
  async of(round: SlidingRound, selected: SelectedRoom): Promise<SharedRoom | undefined> {
    const { timelines, states } = this.#parts;
    const limit = limitOf(new EventFilter({ limit: selected.timelineLimit }));
    const timeline = await timelines.newest(selected.room.roomNid, round.upTo, limit, round.reader);
    if (!timeline || timeline.end === null) return undefined;
    const rules = states.sharedRules(selected.required);
    const known = this.#rooms.get(timeline);
    if (known?.rules === rules) return known.room;
    const room = this.#make(round, selected, timeline, timeline.end);
    this.#rooms.set(timeline, { rules, room });
    room.catch(() => this.#rooms.delete(timeline));
    return room;
  }

  async #make(
    { upTo, pace }: SlidingRound,
    { room: { roomNid, activity }, required }: SelectedRoom,
    { window, text, members }: SharedTimeline,
    end: number,
  ): Promise<SharedRoom> {
    const { states, profiles, bumpStamps } = this.#parts;
    const profile = await profiles.withoutHeroes(roomNid, end);
    const lazy = required.isLazy ? (members ?? (await states.lazyMembers(end, window, undefined))) : nobody;
    const head = {
      initial: true,
      ...profile,
      limited: window.limited,
      prev_batch: streamToken(window.prevBatch),
    };
    return {
      window,
      end,
      text: `${JSON.stringify(head).slice(1, -1)},"timeline":[${text.toString()}]`,
      state: await states.shared(roomNid, end, required, lazy, pace),
      lazy,
      hasName: profile.name !== undefined,
      // Nothing has come since the newest event of the room: what is known of it holds whatever happens elsewhere.
      bumpStamp: await bumpStamps.of(roomNid, Math.min(upTo, activity)),
      timelineIds: new Set(window.events.map(({ eventId }) => eventId)),
    };
  }
}
