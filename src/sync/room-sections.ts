import type { Room, RoomIndex } from "../state/room-index.ts";
import type { PartialRooms } from "../state/partial-rooms.ts";
import type { RoomStore } from "../storage/rooms.ts";
import { type HiddenInvites, hiddenInvites, type InvitePreferences } from "./hidden-invites.ts";
import type { JoinedRooms, RoomPart } from "./joined-rooms.ts";
import type { LeftRooms } from "./left-rooms.ts";
import type { PendingRooms } from "./pending-rooms.ts";
import type { PossibleChanges } from "./possible-changes.ts";
import type { RoomExtrasReader } from "./room-extras.ts";
import type { PendingRoom, RoomList, RoomLists } from "./room-list.ts";
import type { AccountDataStream } from "./streams/account-data.ts";
import { maxStickyEvents, type StickyEvents, type StickyEventStream } from "./streams/sticky-events.ts";
import { isBehind } from "../timeline/stream-token.ts";
import type { JsonPieces, SyncRound } from "./sync-request.ts";

/** The `rooms` member of an answer. */
export interface RoomsSection {
  /** Nothing, or the member with a comma before it. */
  readonly pieces: JsonPieces;
  /** By room: what a client that loads members lazily gets. */
  readonly sentMembers: ReadonlyMap<number, Map<number, number>>;
  readonly newlyJoined: ReadonlySet<number>;
  /** Up to where sticky events are told. */
  readonly stickyUpTo: number;
}

export interface RoomSectionsParts {
  readonly rooms: RoomIndex;
  readonly store: RoomStore;
  readonly lists: RoomLists;
  readonly extras: RoomExtrasReader;
  readonly accountData: AccountDataStream;
  readonly sticky: StickyEventStream;
  readonly joined: JoinedRooms;
  readonly left: LeftRooms;
  readonly pending: PendingRooms;
  readonly partialRooms: Pick<PartialRooms, "all" | "wholeAfter">;
  readonly permissions: InvitePreferences;
}

/** Account data events of rooms, as JSON. */
type RoomAccountData = ReadonlyMap<number, readonly string[]>;
/** Parts by room ID. */
type Parts = Map<string, JsonPieces>;

/** Makes the `rooms` member of answers. */
export class RoomSections {
  readonly #parts: RoomSectionsParts;

  constructor(parts: RoomSectionsParts) {
    this.#parts = parts;
  }

  /** @param joined the rooms that the user is joined to at the round's position */
  async read(
    round: SyncRound,
    changes: PossibleChanges,
    allJoined: ReadonlySet<number>,
    accountData: RoomAccountData,
  ): Promise<RoomsSection> {
    const joined = this.#shown(round, allJoined);
    const list = await this.#list(round, changes, joined);
    const sentMembers = new Map<number, Map<number, number>>();
    const sticky = await this.#sticky(round, changes, joined, list);
    const stickyUpTo = sticky.upTo;
    const join = await this.#joined(round, changes, joined, list, accountData, sticky, sentMembers);
    const leave = await this.#left(round, list, accountData, sentMembers);
    const invite = await this.#invites(round, list.invited);
    const knock = await this.#pending(round, list.knocked, "knock_state");
    const members = Object.entries({ join, invite, knock, leave }).filter(([, parts]) => parts.size > 0);
    if (members.length === 0) return { pieces: [], sentMembers, newlyJoined: list.newlyJoined, stickyUpTo };
    const pieces: JsonPieces = [`,"rooms":{`];
    for (const [index, [name, parts]] of members.entries()) {
      pieces.push(`${index === 0 ? "" : ","}"${name}":{`, ...membersOf(parts), "}");
    }
    pieces.push("}");
    return { pieces, sentMembers, newlyJoined: list.newlyJoined, stickyUpTo };
  }

  /** A room of which not all members are known is shown to those only who do not expect them (MSC3902). */
  #shown({ request: { filter } }: SyncRound, joined: ReadonlySet<number>): ReadonlySet<number> {
    const { partialRooms } = this.#parts;
    if (filter.state.lazyLoadMembers) return joined;
    const hidden = partialRooms.all.filter(({ roomNid }) => joined.has(roomNid));
    return hidden.length === 0 ? joined : joined.difference(new Set(hidden.map(({ roomNid }) => roomNid)));
  }

  /** A room that was hidden for want of members is news once they are known. */
  async #list(round: SyncRound, changes: PossibleChanges, joined: ReadonlySet<number>): Promise<RoomList> {
    const { lists, partialRooms } = this.#parts;
    const { since, filter } = round.request;
    const list = await lists.read(round, changes.has("membership"));
    const whole =
      since && !filter.state.lazyLoadMembers ? partialRooms.wholeAfter(joined, since.position) : [];
    return whole.length === 0 ? list : { ...list, newlyJoined: list.newlyJoined.union(new Set(whole)) };
  }

  async #joined(
    round: SyncRound,
    changes: PossibleChanges,
    joined: ReadonlySet<number>,
    { newlyJoined }: RoomList,
    accountData: RoomAccountData,
    sticky: StickyEvents,
    sentMembers: Map<number, Map<number, number>>,
  ): Promise<Parts> {
    const { extras } = this.#parts;
    const { filter } = round.request;
    const unreadChanged = await extras.unreadChanged(round, changes);
    const ephemeral = await extras.ephemeral(round, changes, joined, newlyJoined, unreadChanged);
    const told = [newlyJoined, ephemeral, accountData, unreadChanged, sticky.byRoom].flatMap((rooms) => [
      ...rooms.keys(),
    ]);
    const visited = new Set([...(await this.#withEvents(round, changes, joined)), ...told]);
    const rooms = await this.#wanted(round, [...visited.intersection(joined)]);
    const unread = await extras.unreadCounts(
      round,
      rooms.map(({ roomNid }) => roomNid),
    );
    const parts: Parts = new Map();
    for (const room of rooms) {
      const { roomNid, roomId } = room;
      const isNew = round.request.since === undefined || newlyJoined.has(roomNid);
      const part = await this.#parts.joined.read(round, room, isNew, {
        ephemeral: filter.ephemeral.matchesRoom(roomId) ? (ephemeral.get(roomNid) ?? []) : [],
        accountData: newlyJoined.has(roomNid)
          ? await this.#parts.accountData.ofRoom(round.request, roomId)
          : (accountData.get(roomNid) ?? []),
        sticky: sticky.byRoom.get(roomNid) ?? [],
        unread: unread?.get(roomNid),
        unreadChanged: unreadChanged.has(roomNid),
      });
      if (part) take(parts, sentMembers, room, part);
      await round.pace.breathe();
    }
    return parts;
  }

  #sticky(
    { request: { since }, reader, upTo }: SyncRound,
    changes: PossibleChanges,
    joined: ReadonlySet<number>,
    { newlyJoined }: RoomList,
  ): Promise<StickyEvents> {
    const moved =
      !since || isBehind(since)
        ? undefined
        : changes.of("timeline")?.union(changes.of("stickyEvents") ?? joined);
    return this.#parts.sticky.read({
      reader,
      roomNids: moved ? moved.union(newlyJoined).intersection(joined) : joined,
      newRooms: newlyJoined,
      after: since?.sticky ?? 0,
      upTo,
      limit: maxStickyEvents,
    });
  }

  /** Rooms whose timeline may have moved on; every room when each has to be told. */
  async #withEvents(
    { request }: SyncRound,
    changes: PossibleChanges,
    joined: ReadonlySet<number>,
  ): Promise<Iterable<number>> {
    if (!request.since || request.fullState) return joined;
    const named = changes.of("timeline");
    return named ?? this.#parts.store.joinedWithEventsAfter(request.device.userNid, request.since.position);
  }

  async #left(
    round: SyncRound,
    list: RoomList,
    accountData: RoomAccountData,
    sentMembers: Map<number, Map<number, number>>,
  ): Promise<Parts> {
    const parts: Parts = new Map();
    const byNid = new Map(list.left.map((left) => [left.roomNid, left]));
    for (const room of await this.#wanted(round, [...byNid.keys()])) {
      const left = byNid.get(room.roomNid);
      if (!left) continue;
      const events = accountData.get(room.roomNid) ?? [];
      take(parts, sentMembers, room, await this.#parts.left.read(round, room, left, events));
      await round.pace.breathe();
    }
    return parts;
  }

  async #invites(round: SyncRound, invited: readonly PendingRoom[]): Promise<Parts> {
    if (invited.length === 0) return new Map();
    const hidden = await hiddenInvites(round.reader, this.#parts.permissions);
    return this.#pending(round, invited, "invite_state", hidden);
  }

  async #pending(
    round: SyncRound,
    pending: readonly PendingRoom[],
    member: "invite_state" | "knock_state",
    hidden?: HiddenInvites,
  ): Promise<Parts> {
    const parts: Parts = new Map();
    const byNid = new Map(pending.map((room) => [room.roomNid, room]));
    for (const { roomNid, roomId } of await this.#wanted(round, [...byNid.keys()])) {
      const room = byNid.get(roomNid);
      await round.pace.breathe();
      if (!room || (hidden && (await this.#parts.pending.isHidden(room, hidden)))) continue;
      const state = await this.#parts.pending.strippedState(room);
      parts.set(roomId, [`{"${member}":{"events":[${state}]}}`]);
    }
    return parts;
  }

  /** The rooms that the client's filter lets pass. */
  async #wanted({ request: { filter } }: SyncRound, roomNids: readonly number[]): Promise<Room[]> {
    const rooms: Room[] = [];
    for (const roomNid of roomNids) {
      const room = await this.#parts.rooms.byNid(roomNid);
      if (filter.rooms.has(room.roomId)) rooms.push(room);
    }
    return rooms;
  }
}

function take(
  parts: Parts,
  sentMembers: Map<number, Map<number, number>>,
  { roomNid, roomId }: Room,
  { pieces, sent }: RoomPart,
): void {
  parts.set(roomId, pieces);
  if (sent.size > 0) sentMembers.set(roomNid, sent);
}

function membersOf(parts: Parts): JsonPieces {
  return [...parts].flatMap(([roomId, pieces], index) => [
    `${index === 0 ? "" : ","}${JSON.stringify(roomId)}:`,
    ...pieces,
  ]);
}
