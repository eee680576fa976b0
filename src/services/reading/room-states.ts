import { MatrixError } from "../../protocol/matrix-error.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { StateSnapshots } from "../../state/state-snapshots.ts";
import type { EventStore, StoredEvent } from "../../storage/events.ts";
import type { Membership } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { Pace } from "../../telemetry/pace.ts";
import { contentJson, contentOf } from "../../timeline/client-event.ts";
import type { EventPresenter } from "../../timeline/event-presenter.ts";
import type { Reader } from "../../timeline/reader.ts";
import { roomStateAfter, type RoomTimelines, startOfTime } from "../../timeline/room-timelines.ts";
import { type StateRendering, type StateTexts, wholeState } from "../../timeline/state-texts.ts";
import type { ReadableRoom, RoomReading } from "./reading-access.ts";
import type { WholeRooms } from "./whole-rooms.ts";

export interface MembersQuery {
  /** Position of a token; now, or when the user left, without one. */
  readonly at: number | undefined;
  readonly membership: Membership | undefined;
  readonly notMembership: Membership | undefined;
}

export interface RoomStatesParts {
  readonly access: RoomReading;
  readonly timelines: RoomTimelines;
  readonly store: Pick<EventStore, "timelineForwards">;
  readonly texts: StateTexts;
  readonly events: EventReader;
  readonly snapshots: StateSnapshots;
  readonly names: NameCache;
  readonly presenter: EventPresenter;
  readonly pace: Pace;
  readonly wholeRooms: WholeRooms;
}

type User = Omit<Reader, "ignored">;

const empty = Buffer.alloc(0);

/** Members of the room as `/joined_members` has them. */
const joinedMembers: StateRendering = {
  name: "joined members",
  includes: ({ common }, isMember) => isMember && contentOf(common)["membership"] === "join",
  text({ common }) {
    const { state_key, content } = JSON.parse(`{${common}}`) as {
      readonly state_key: string;
      readonly content: Readonly<Record<string, unknown>>;
    };
    // Both keys are always there, as clients know it from other servers; null says that there is none.
    const text = (key: string) => (typeof content[key] === "string" ? content[key] : null);
    const member = { display_name: text("displayname"), avatar_url: text("avatar_url") };
    return `${JSON.stringify(state_key)}:${JSON.stringify(member)}`;
  },
};

/** The state of rooms, and their members (client-server API, "Getting events for a room"). */
export class RoomStates {
  readonly #parts: RoomStatesParts;

  constructor(parts: RoomStatesParts) {
    this.#parts = parts;
  }

  /**
   * All state events as JSON, joined by commas: now, or when the user left.
   * @throws MatrixError M_FORBIDDEN
   */
  async whole(roomId: string, user: User): Promise<Buffer> {
    const readable = await this.#openWhole(roomId, user);
    return this.#rendered(readable, readable.snapshotNid, wholeState);
  }

  /**
   * The state events of one type likewise, whatever their keys.
   * @throws MatrixError M_FORBIDDEN
   */
  async ofType(roomId: string, user: User, type: string): Promise<Buffer> {
    const readable = await this.#openWhole(roomId, user);
    const wanted = await this.#parts.names.findEventType(type);
    if (wanted === undefined) return empty;
    const rendering = { name: `type ${wanted}`, includes: ({ typeNid }: StoredEvent) => typeNid === wanted };
    return this.#rendered(readable, readable.snapshotNid, rendering);
  }

  /**
   * One state event, or its content, as JSON.
   * @throws MatrixError M_FORBIDDEN, M_NOT_FOUND
   */
  async entry(
    roomId: string,
    user: User,
    type: string,
    stateKey: string,
    format: "content" | "event",
  ): Promise<string> {
    const { access } = this.#parts;
    const opened = await access.open(roomId, user);
    const known = await this.#stateEvent(opened.snapshotNid, type, stateKey);
    const mayFollow = !known && type === "m.room.member";
    const { room, view, snapshotNid } = mayFollow ? await this.#openWhole(roomId, user) : opened;
    const event = known ?? (await this.#stateEvent(snapshotNid, type, stateKey));
    if (!event) throw new MatrixError("M_NOT_FOUND", "The room has no state with this type and key");
    if (format === "content") return contentJson(event.common);
    const [text = "{}"] = await this.#parts.presenter.present(view, [event], { roomId: room.roomId });
    return text;
  }

  /**
   * Member events as JSON, joined by commas.
   * @throws MatrixError M_FORBIDDEN, also for a time that the user may not see
   */
  async members(roomId: string, user: User, query: MembersQuery): Promise<Buffer> {
    const readable = await this.#openWhole(roomId, user);
    const { at } = query;
    const snapshotNid =
      at === undefined || at >= readable.until ? readable.snapshotNid : await this.#stateAt(readable, at);
    return this.#rendered(readable, snapshotNid, membersBy(query));
  }

  /**
   * The members of a JSON object from user IDs to profiles.
   * @throws MatrixError M_FORBIDDEN for those who are not in the room
   */
  async joinedMembers(roomId: string, user: User): Promise<Buffer> {
    const readable = await this.#openWhole(roomId, user);
    if (!readable.isJoined) throw new MatrixError("M_FORBIDDEN", `${user.userId} is not in this room`);
    return this.#rendered(readable, readable.snapshotNid, joinedMembers);
  }

  /** Opens a room once all its members are known. */
  async #openWhole(roomId: string, user: User): Promise<ReadableRoom> {
    const { access, wholeRooms } = this.#parts;
    const readable = await access.open(roomId, user);
    return (await wholeRooms.wait(readable.room.roomNid)) ? access.open(roomId, user) : readable;
  }

  async #rendered(
    { room }: ReadableRoom,
    snapshotNid: number | null,
    rendering: StateRendering,
  ): Promise<Buffer> {
    if (snapshotNid === null) return empty;
    return this.#parts.texts.of(room.roomNid, snapshotNid, rendering, this.#parts.pace, room.roomId);
  }

  /** What the state was is told by the event at its end: who may not see that, may not see who was there. */
  async #stateAt(readable: ReadableRoom, position: number): Promise<number | null> {
    const { room, view, reader } = readable;
    const last =
      (await this.#parts.timelines.at(room.roomNid, position)) ?? (await this.#beginning(readable));
    if (!last) return null;
    if (await view.maySee(last)) return roomStateAfter(last);
    throw new MatrixError("M_FORBIDDEN", `${reader.userId} may not see the room at this time`);
  }

  /**
   * What a token from before a room stands for, as a sync gives it with a room's whole timeline: the moment when there was
   * somebody in the room, which is its second event, the creator's join.
   */
  async #beginning({ room, until }: ReadableRoom): Promise<StoredEvent | undefined> {
    const first = await this.#parts.store.timelineForwards(room.roomNid, startOfTime, until, 2);
    return first.at(-1);
  }

  async #stateEvent(
    snapshotNid: number | null,
    type: string,
    stateKey: string,
  ): Promise<StoredEvent | undefined> {
    if (snapshotNid === null) return undefined;
    const pairNid = await this.#parts.names.findStatePair(type, stateKey);
    const eventNid =
      pairNid === undefined ? undefined : await this.#parts.snapshots.get(snapshotNid, pairNid);
    return eventNid === undefined ? undefined : this.#parts.events.stored(eventNid);
  }
}

/** "Either the membership is the same as `membership` or is not the same as `not_membership`." */
function membersBy({ membership, notMembership }: MembersQuery): StateRendering {
  const isAll = membership === undefined && notMembership === undefined;
  return {
    name: `members ${membership ?? ""} ${notMembership ?? ""}`,
    includes({ common }, isMember) {
      if (!isMember || isAll) return isMember;
      const actual = contentOf(common)["membership"];
      return actual === membership || (notMembership !== undefined && actual !== notMembership);
    },
  };
}
