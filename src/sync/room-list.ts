import type { EventReader } from "../state/event-reader.ts";
import type { Membership, MembershipLogRow, MembershipRow, MembershipStore } from "../storage/memberships.ts";
import type { SyncRound } from "./sync-request.ts";

/** A room that the user is no longer in. */
export interface LeftRoom {
  readonly roomNid: number;
  /** Of the event that ended it. */
  readonly position: number;
  readonly eventNid: number;
  /** What the client has of the room: all up to its `since`, nothing, or nothing to have, since the user never joined. */
  readonly history: "known" | "new" | "none";
}

/** A room that somebody else has to let the user into. */
export interface PendingRoom {
  readonly roomNid: number;
  /** The user's member event. */
  readonly eventNid: number;
}

/** The rooms whose memberships a sync has to tell, beside those that the user simply stays in. */
export interface RoomList {
  readonly newlyJoined: ReadonlySet<number>;
  readonly left: readonly LeftRoom[];
  readonly invited: readonly PendingRoom[];
  readonly knocked: readonly PendingRoom[];
}

type MutableList = { [Key in "left" | "invited" | "knocked"]: RoomList[Key][number][] };

const otherMemberships: readonly Membership[] = ["invite", "knock", "leave", "ban"];
const nothing: RoomList = { newlyJoined: new Set(), left: [], invited: [], knocked: [] };

/** Finds out which rooms a sync has to tell of because of what the user is, or has become, in them. */
export class RoomLists {
  readonly #memberships: MembershipStore;
  readonly #events: EventReader;

  constructor(memberships: MembershipStore, events: EventReader) {
    this.#memberships = memberships;
    this.#events = events;
  }

  /** @param mayHaveChanged false when no membership of the user has changed since */
  async read(round: SyncRound, mayHaveChanged: boolean): Promise<RoomList> {
    const since = round.request.since?.position;
    if (since === undefined) return this.#first(round);
    return mayHaveChanged ? this.#changes(round, since) : nothing;
  }

  /** For a first sync. Joined rooms need no telling apart there. */
  async #first({ request, reader, upTo }: SyncRound): Promise<RoomList> {
    const list: MutableList = { left: [], invited: [], knocked: [] };
    for (const row of await this.#memberships.roomsOf(reader.userNid, otherMemberships)) {
      const change = await this.#upTo(row, reader.userNid, upTo);
      if (!change) continue;
      if (change.membership === "invite") list.invited.push(change);
      else if (change.membership === "knock") list.knocked.push(change);
      else if (
        change.membership !== "join" &&
        (await this.#tellsLeft(change, request.filter.includeLeave, reader))
      ) {
        const history = await this.#memberships.history(reader.userNid, change.roomNid);
        const wasJoined = history.some(({ membership }) => membership === "join");
        list.left.push({ ...change, history: wasJoined ? "new" : "none" });
      }
    }
    return { ...list, newlyJoined: new Set() };
  }

  /** What the membership was at a position, if it has moved on since. */
  async #upTo(row: MembershipRow, userNid: number, upTo: number): Promise<MembershipLogRow | undefined> {
    return row.position <= upTo ? row : this.#memberships.at(userNid, row.roomNid, upTo);
  }

  /** Whoever was kicked or banned is told even without asking for the rooms that they left. */
  async #tellsLeft(
    { membership, eventNid }: MembershipLogRow,
    includeLeave: boolean,
    { userNid }: { readonly userNid: number },
  ): Promise<boolean> {
    if (includeLeave || membership === "ban") return true;
    return (await this.#events.stored(eventNid)).senderNid !== userNid;
  }

  async #changes({ reader, upTo }: SyncRound, since: number): Promise<RoomList> {
    const changes = await this.#memberships.changes(reader.userNid, since, upTo);
    const newlyJoined = new Set<number>();
    const list: MutableList = { left: [], invited: [], knocked: [] };
    for (const [roomNid, ofRoom] of Map.groupBy(changes, (change) => change.roomNid)) {
      const last = ofRoom.at(-1);
      if (!last) continue;
      if (last.membership === "join") newlyJoined.add(roomNid);
      else if (last.membership === "invite") list.invited.push(last);
      else if (last.membership === "knock") list.knocked.push(last);
      else if (!(await this.#staysForgotten(reader.userNid, ofRoom, since)))
        list.left.push({ ...last, history: await this.#history(reader.userNid, ofRoom, since) });
    }
    return { ...list, newlyJoined };
  }

  /**
   * "Rooms which have been forgotten will never appear in the response": not even when a user who was outside then is
   * banned, or no longer is. Other devices have to learn that a room has been left, though.
   */
  async #staysForgotten(
    userNid: number,
    changes: readonly MembershipLogRow[],
    since: number,
  ): Promise<boolean> {
    const roomNid = changes[0]?.roomNid ?? 0;
    const before = await this.#memberships.at(userNid, roomNid, since);
    const wasOutside = [...changes, ...(before ? [before] : [])].every(isOutside);
    return wasOutside && ((await this.#memberships.of(roomNid, userNid))?.forgotten ?? false);
  }

  async #history(
    userNid: number,
    changes: readonly MembershipLogRow[],
    since: number,
  ): Promise<LeftRoom["history"]> {
    const before = await this.#memberships.at(userNid, changes[0]?.roomNid ?? 0, since);
    const hasJoined = changes.some(({ membership }) => membership === "join");
    // Whoever has joined anew has everything to get anew.
    if (hasJoined) return "new";
    return before?.membership === "join" ? "known" : "none";
  }
}

function isOutside({ membership }: MembershipLogRow): boolean {
  return membership === "leave" || membership === "ban";
}
