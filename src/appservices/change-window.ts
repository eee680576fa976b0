import type { LiveMemberships } from "../notifier/live-memberships.ts";
import type { Notifier } from "../notifier/notifier.ts";
import type { AppserviceStore, RoomPosition } from "../storage/appservices.ts";
import type { StreamChange } from "../storage/streams.ts";
import type { Pace } from "../telemetry/pace.ts";
import type { CoveredUsers } from "./covered-users.ts";
import type { Registration } from "./registration.ts";
import type { RoomInterests } from "./room-interests.ts";

/** What a stretch of the one stream holds for an application service. */
export interface ChangeWindow {
  /** Where the stretch begins, exclusive, and where it ends, inclusive. */
  readonly after: number;
  readonly upTo: number;
  /** Of timelines, in order. */
  readonly events: readonly RoomPosition[];
  readonly typingRooms: ReadonlySet<number>;
  readonly receiptRooms: ReadonlySet<number>;
  readonly presentUsers: ReadonlySet<number>;
  /** Positions of messages to devices, in order. */
  readonly messages: readonly number[];
  /** Users of the application service whose one-time keys have changed. */
  readonly keyUsers: ReadonlySet<number>;
  /** Users whose devices have changed, or who have come to share a room. */
  readonly changedUsers: ReadonlySet<number>;
  /** Users who have left a room, and may share none any more. */
  readonly leftUsers: ReadonlySet<number>;
}

export interface ChangeWindowParts {
  readonly registration: Registration;
  readonly users: CoveredUsers;
  readonly interests: RoomInterests;
  readonly notifier: Pick<Notifier, "position" | "changesSince">;
  readonly store: Pick<AppserviceStore, "changesBetween">;
  readonly memberships: Pick<LiveMemberships, "load">;
  readonly pace: Pace;
}

/** A transaction's share of each kind; what is more comes with the next. */
const maxEvents = 100;
const maxEphemeral = 100;
const maxMessages = 100;
const maxUsers = 500;
/** Who is too far behind for the notifier's memory reads so many positions at a time. */
const storedPositions = 10_000;

/** Finds what is new for an application service. */
export class ChangeWindows {
  readonly #parts: ChangeWindowParts;

  constructor(parts: ChangeWindowParts) {
    this.#parts = parts;
  }

  /**
   * What comes after a position, as much as fits into one transaction.
   * @param limit a position to end at, at most
   */
  async after(position: number, limit = Number.MAX_SAFE_INTEGER): Promise<ChangeWindow> {
    const { notifier, store, pace } = this.#parts;
    const newest = Math.min(notifier.position, limit);
    const recent = notifier.changesSince(position);
    const end = recent ? newest : Math.min(newest, position + storedPositions);
    const changes = recent ?? (await store.changesBetween(position, end));
    const draft = new WindowDraft(position, end);
    for (const change of changes) {
      if (change.position > draft.upTo) break;
      await pace.breathe();
      await this.#add(draft, change);
    }
    return draft;
  }

  async #add(draft: WindowDraft, change: StreamChange): Promise<void> {
    const { stream, nid, position } = change;
    const { registration, users, interests } = this.#parts;
    const isEphemeralWanted = registration.ephemeralKeys.length > 0;
    if (stream === "timeline") {
      const interest = await interests.of(nid);
      if (interest.coversAt(position)) draft.addEvent({ roomNid: nid, position });
    } else if (stream === "toDevice") {
      if (await users.has(nid)) draft.addMessage(position);
    } else if (stream === "oneTimeKeys") {
      if (await users.has(nid)) draft.addUser(draft.keyUsers, nid, position);
    } else if (stream === "typing" && isEphemeralWanted) {
      if (await this.#isInteresting(nid)) draft.addEphemeral(draft.typingRooms, nid, position);
    } else if (change.readRoomNid !== undefined && isEphemeralWanted) {
      const roomNid = change.readRoomNid;
      if (await this.#isInteresting(roomNid)) draft.addEphemeral(draft.receiptRooms, roomNid, position);
    } else if (stream === "presence" && isEphemeralWanted) {
      if (await this.isNeighbour(nid)) draft.addEphemeral(draft.presentUsers, nid, position);
    } else if (registration.wantsDeviceLists) {
      await this.#addDeviceLists(draft, change);
    }
  }

  async #addDeviceLists(
    draft: WindowDraft,
    { stream, nid, position, membership }: StreamChange,
  ): Promise<void> {
    if (stream === "deviceLists") {
      if (await this.isNeighbour(nid)) draft.addUser(draft.changedUsers, nid, position);
    } else if (membership && (await this.#isInteresting(membership.roomNid))) {
      draft.addUser(membership.joined ? draft.changedUsers : draft.leftUsers, nid, position);
    }
  }

  async #isInteresting(roomNid: number): Promise<boolean> {
    return (await this.#parts.interests.of(roomNid)).isNow;
  }

  /** Whether somebody is a user of the application service, or in a room that it hears of. */
  async isNeighbour(userNid: number): Promise<boolean> {
    const { users, memberships } = this.#parts;
    if (await users.has(userNid)) return true;
    for (const roomNid of await memberships.load(userNid)) {
      if (await this.#isInteresting(roomNid)) return true;
    }
    return false;
  }
}

/** A window that is being filled; it ends where a transaction is full. */
class WindowDraft implements ChangeWindow {
  readonly after: number;
  upTo: number;
  readonly events: RoomPosition[] = [];
  readonly typingRooms = new Set<number>();
  readonly receiptRooms = new Set<number>();
  readonly presentUsers = new Set<number>();
  readonly messages: number[] = [];
  readonly keyUsers = new Set<number>();
  readonly changedUsers = new Set<number>();
  readonly leftUsers = new Set<number>();

  constructor(after: number, upTo: number) {
    this.after = after;
    this.upTo = upTo;
  }

  addEvent(event: RoomPosition): void {
    this.events.push(event);
    if (this.events.length === maxEvents) this.upTo = event.position;
  }

  addMessage(position: number): void {
    this.messages.push(position);
    if (this.messages.length === maxMessages) this.upTo = position;
  }

  addEphemeral(kind: Set<number>, nid: number, position: number): void {
    kind.add(nid);
    const total = this.typingRooms.size + this.receiptRooms.size + this.presentUsers.size;
    if (total === maxEphemeral) this.upTo = position;
  }

  addUser(kind: Set<number>, nid: number, position: number): void {
    kind.add(nid);
    if (kind.size === maxUsers) this.upTo = position;
  }
}
