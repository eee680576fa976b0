import { boundedCache } from "../cache/bounded-cache.ts";
import type { VisibleEvent } from "../protocol/visibility.ts";
import { mayUserSeeEvent } from "../protocol/visibility.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { StateSnapshots } from "../state/state-snapshots.ts";
import type { StoredEvent } from "../storage/events.ts";
import type { Membership, MembershipLogRow, MembershipStore } from "../storage/memberships.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { Reader } from "./reader.ts";

const cachedValues = 100_000;
/** An event that by itself changes nothing about who may see it. */
const ordinaryEvent: VisibleEvent = { type: "m.room.message", stateKey: undefined, content: {} };

export interface RoomViewParts {
  readonly events: EventReader;
  readonly snapshots: StateSnapshots;
  readonly names: NameCache;
  readonly memberships: MembershipStore;
}

/** Makes the views that readers have of rooms. */
export class RoomViews {
  readonly #parts: RoomViewParts;
  /** `membership` and `history_visibility` of state events, by event. Redaction leaves both, so none is ever stale. */
  readonly #values = boundedCache<number, string>(cachedValues);
  readonly #visibilities = boundedCache<number, string>(cachedValues);

  constructor(parts: RoomViewParts) {
    this.#parts = parts;
  }

  of(roomNid: number, reader: Reader): RoomView {
    return new RoomView(this, this.#parts, roomNid, reader);
  }

  /** The view of those from whom nothing is hidden. */
  whole(roomNid: number, reader: Reader): RoomView {
    return new WholeRoomView(this, this.#parts, roomNid, reader);
  }

  /** The user's membership in a state; `undefined` where they never had one. */
  async membershipIn(snapshotNid: number, userId: string): Promise<Membership | undefined> {
    const value = await this.#valueIn(snapshotNid, "m.room.member", userId, "membership");
    return value as Membership | undefined;
  }

  /** The history visibility that a state sets; `undefined` where it sets none. */
  async visibilityIn(snapshotNid: number): Promise<string | undefined> {
    const known = this.#visibilities.get(snapshotNid);
    if (known !== undefined) return known;
    const value = await this.#valueIn(snapshotNid, "m.room.history_visibility", "", "history_visibility");
    if (value !== undefined) this.#visibilities.set(snapshotNid, value);
    return value;
  }

  async #valueIn(
    snapshotNid: number,
    type: string,
    stateKey: string,
    key: string,
  ): Promise<string | undefined> {
    const pairNid = await this.#parts.names.findStatePair(type, stateKey);
    if (pairNid === undefined) return undefined;
    const eventNid = await this.#parts.snapshots.get(snapshotNid, pairNid);
    if (eventNid === undefined) return undefined;
    const known = this.#values.get(eventNid);
    if (known !== undefined) return known;
    const event = await this.#parts.events.roomEvent(eventNid);
    const value = event.content[key];
    if (typeof value !== "string") return undefined;
    this.#values.set(eventNid, value);
    return value;
  }
}

/** What one reader may see of one room (client-server API, "Room History Visibility"). For a single answer. */
export class RoomView {
  readonly reader: Reader;
  readonly #views: RoomViews;
  readonly #parts: RoomViewParts;
  readonly #roomNid: number;
  readonly #memberships = new Map<number, Membership | undefined>();
  #history: readonly MembershipLogRow[] | undefined;

  constructor(views: RoomViews, parts: RoomViewParts, roomNid: number, reader: Reader) {
    this.#views = views;
    this.#parts = parts;
    this.#roomNid = roomNid;
    this.reader = reader;
  }

  /** Those of some events of the room that the reader may see and wants to, in their order. */
  async visible(events: readonly StoredEvent[]): Promise<StoredEvent[]> {
    const seen: StoredEvent[] = [];
    for (const event of events) {
      if (this.isIgnored(event)) continue;
      // Who was in the room may see it, and that is almost always known: waiting for nothing costs, too.
      if (this.#isKnownMember(event) || (await this.maySee(event))) seen.push(event);
    }
    return seen;
  }

  /** State events of ignored users are shown all the same (client-server API, "Ignoring Users"). */
  isIgnored(event: StoredEvent): boolean {
    const { ignored } = this.reader;
    return ignored.size > 0 && event.pairNid === null && ignored.has(event.senderNid);
  }

  async maySee(event: StoredEvent): Promise<boolean> {
    const membershipBefore = await this.#membershipIn(event.stateBefore);
    // Rule 2 holds whatever the visibility.
    if (membershipBefore === "join") return true;
    const visibility =
      event.stateBefore === null ? undefined : await this.#views.visibilityIn(event.stateBefore);
    const changesVisibility = event.pairNid !== null && event.pairNid === (await this.#visibilityPair());
    const isOwn = event.pairNid !== null && event.pairNid === (await this.#ownPair());
    const parsed =
      changesVisibility || isOwn ? await this.#parts.events.roomEvent(event.eventNid) : ordinaryEvent;
    return mayUserSeeEvent(parsed, visibility, {
      userId: this.reader.userId,
      membershipBefore,
      joinedLater: await this.#joinedAfter(event.position ?? 0),
    });
  }

  /** Whether the reader could see an event at a position, because they were in the room with it or came after it. */
  async hadSeenBy(event: StoredEvent, position: number): Promise<boolean> {
    if ((await this.#membershipIn(event.stateBefore)) === "join") return true;
    const from = event.position ?? 0;
    return (await this.#changes()).some(
      (change) => change.membership === "join" && change.position >= from && change.position <= position,
    );
  }

  /** The reader's membership at each of some events, what the event itself changes included; `leave` without any. */
  async membershipsAt(events: readonly StoredEvent[]): Promise<Membership[]> {
    const memberships: Membership[] = [];
    for (const { stateAfter } of events) {
      const isKnown = stateAfter !== null && this.#memberships.has(stateAfter);
      const membership = isKnown ? this.#memberships.get(stateAfter) : await this.#membershipIn(stateAfter);
      memberships.push(membership ?? "leave");
    }
    return memberships;
  }

  #isKnownMember({ stateBefore }: StoredEvent): boolean {
    return stateBefore !== null && this.#memberships.get(stateBefore) === "join";
  }

  async #membershipIn(snapshotNid: number | null): Promise<Membership | undefined> {
    if (snapshotNid === null) return undefined;
    if (this.#memberships.has(snapshotNid)) return this.#memberships.get(snapshotNid);
    const membership = await this.#views.membershipIn(snapshotNid, this.reader.userId);
    this.#memberships.set(snapshotNid, membership);
    return membership;
  }

  async #joinedAfter(position: number): Promise<boolean> {
    const history = await this.#changes();
    if (history.at(-1)?.membership === "join") return true;
    return history.some((change) => change.membership === "join" && change.position > position);
  }

  async #changes(): Promise<readonly MembershipLogRow[]> {
    this.#history ??= await this.#parts.memberships.history(this.reader.userNid, this.#roomNid);
    return this.#history;
  }

  #ownPair(): Promise<number | undefined> {
    return this.#parts.names.findStatePair("m.room.member", this.reader.userId);
  }

  #visibilityPair(): Promise<number | undefined> {
    return this.#parts.names.findStatePair("m.room.history_visibility", "");
  }
}

/** Of those who see all of a room, whatever they are in it. What erased users have said stays hidden. */
class WholeRoomView extends RoomView {
  override async maySee(): Promise<boolean> {
    return true;
  }
}
