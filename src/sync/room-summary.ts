import { boundedCache } from "../cache/bounded-cache.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { StateSnapshots } from "../state/state-snapshots.ts";
import type { MembershipStore } from "../storage/memberships.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { StateEntries } from "./state-difference.ts";

export interface RoomSummary {
  /** User IDs; `undefined` for a room that has a name. */
  readonly heroes: readonly string[] | undefined;
  readonly joined: number;
  readonly invited: number;
}

/** What a summary is made of for every reader. */
interface Members {
  readonly joined: number;
  readonly invited: number;
  /** One more than the heroes, since the reader may be among them. */
  readonly oldest: readonly number[] | undefined;
}

/** "This should be the first 5 members of the room, ordered by stream ordering, which are joined or invited." */
const maxHeroes = 5;
/** Many users sync the same rooms. */
const cachedStates = 20_000;

export interface RoomSummaryParts {
  readonly memberships: MembershipStore;
  readonly snapshots: StateSnapshots;
  readonly events: EventReader;
  readonly names: NameCache;
}

/** Sums up rooms for clients that do not know all members (client-server API, "Syncing": `RoomSummary`). */
export class RoomSummaries {
  readonly #parts: RoomSummaryParts;
  /** By state: what a summary tells of changes with the state only. */
  readonly #members = boundedCache<number, Promise<Members>>(cachedStates);

  constructor(parts: RoomSummaryParts) {
    this.#parts = parts;
  }

  /** Whether state that is new can change a room's summary. */
  async isChangedBy(entries: StateEntries): Promise<boolean> {
    for (const pairNid of entries.keys()) {
      const { type } = await this.#parts.names.statePair(pairNid);
      if (type === "m.room.member" || type === "m.room.name" || type === "m.room.canonical_alias")
        return true;
    }
    return false;
  }

  /**
   * @param snapshotNid the room's state
   * @param readerNid whom the heroes must not include
   */
  async of(roomNid: number, snapshotNid: number, readerNid: number): Promise<RoomSummary> {
    const { oldest, joined, invited } = await this.#membersOf(roomNid, snapshotNid);
    if (!oldest) return { heroes: undefined, joined, invited };
    const others = oldest.filter((nid) => nid !== readerNid).slice(0, maxHeroes);
    const heroes = await Promise.all(others.map((nid) => this.#parts.names.userId(nid)));
    return { heroes, joined, invited };
  }

  /** How many members the room has. */
  counts(roomNid: number, snapshotNid: number): Promise<Pick<RoomSummary, "joined" | "invited">> {
    return this.#membersOf(roomNid, snapshotNid);
  }

  #membersOf(roomNid: number, snapshotNid: number): Promise<Members> {
    const known = this.#members.get(snapshotNid);
    if (known) return known;
    const reading = this.#read(roomNid, snapshotNid);
    this.#members.set(snapshotNid, reading);
    reading.catch(() => this.#members.delete(snapshotNid));
    return reading;
  }

  async #read(roomNid: number, snapshotNid: number): Promise<Members> {
    const { joined, invited } = await this.#parts.memberships.counts(roomNid);
    const oldest = (await this.#isNamed(snapshotNid))
      ? undefined
      : await this.#oldest(roomNid, joined + invited);
    return { joined, invited, oldest };
  }

  #oldest(roomNid: number, present: number): Promise<readonly number[]> {
    // "When no joined or invited members are available, this should consist of the banned and left users."
    return present > 1
      ? this.#parts.memberships.oldestMembers(roomNid, ["join", "invite"], maxHeroes + 1)
      : this.#parts.memberships.oldestMembers(roomNid, ["leave", "ban"], maxHeroes + 1);
  }

  async #isNamed(snapshotNid: number): Promise<boolean> {
    return (
      (await this.#hasText(snapshotNid, "m.room.name", "name")) ||
      (await this.#hasText(snapshotNid, "m.room.canonical_alias", "alias"))
    );
  }

  async #hasText(snapshotNid: number, type: string, key: string): Promise<boolean> {
    const pairNid = await this.#parts.names.findStatePair(type, "");
    const eventNid =
      pairNid === undefined ? undefined : await this.#parts.snapshots.get(snapshotNid, pairNid);
    if (eventNid === undefined) return false;
    const value = (await this.#parts.events.roomEvent(eventNid)).content[key];
    return typeof value === "string" && value !== "";
  }
}
