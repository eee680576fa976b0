import { boundedCache } from "../../cache/bounded-cache.ts";
import { roomFieldsOf } from "../../protocol/room-summary.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { StateDelta } from "../../state/delta.ts";
import type { StateSnapshots } from "../../state/state-snapshots.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { RoomSummaries } from "../room-summary.ts";

/** What a room looks like in a list of rooms, as the wire has it. */
export interface RoomProfile {
  /** Absent for a room whose name is made of its members. */
  readonly name?: string;
  readonly avatar?: string;
  readonly heroes?: readonly Hero[];
  readonly joined_count?: number;
  readonly invited_count?: number;
}

/** MSC4186, `StrippedHero`. */
interface Hero {
  readonly user_id: string;
  readonly displayname?: string;
  readonly avatar_url?: string;
}

export interface RoomProfileParts {
  readonly snapshots: StateSnapshots;
  readonly events: EventReader;
  readonly names: NameCache;
  readonly summaries: RoomSummaries;
}

interface Look {
  readonly name: string | null;
  readonly avatar: string | null;
}

/** Rooms that many look at; one costs some hundred bytes. */
const cachedLooks = 20_000;

const profileTypes: readonly string[] = [
  "m.room.name",
  "m.room.canonical_alias",
  "m.room.avatar",
  "m.room.member",
];

/** Says what rooms look like: names, avatars, heroes, members. */
export class RoomProfiles {
  readonly #parts: RoomProfileParts;
  /** By room, of the state that somebody has asked for last. */
  readonly #looks = boundedCache<number, { readonly snapshotNid: number; readonly look: Promise<Look> }>(
    cachedLooks,
  );

  constructor(parts: RoomProfileParts) {
    this.#parts = parts;
  }

  /** To be told of each commit before its position becomes visible: a redaction leaves the state what it is. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { nid, redactedNid } of changes) if (redactedNid !== undefined) this.#looks.delete(nid);
  };

  /** Whether a change of state may change the profile. */
  async isChangedBy(change: StateDelta): Promise<boolean> {
    for (const pairNid of change.keys()) {
      const { type } = await this.#parts.names.statePair(pairNid);
      if (profileTypes.includes(type)) return true;
    }
    return false;
  }

  /** What those see who are no longer in the room: its members are no concern of theirs. */
  async ofPast(snapshotNid: number): Promise<RoomProfile> {
    const { name, avatar } = await this.#shown(snapshotNid);
    return { ...(name !== null && { name }), ...(avatar !== null && { avatar }) };
  }

  /** @param readerNid whom the heroes do not include */
  async of(roomNid: number, snapshotNid: number, readerNid: number): Promise<RoomProfile> {
    const profile = await this.withoutHeroes(roomNid, snapshotNid);
    if (profile.name !== undefined) return profile;
    return { ...profile, ...(await this.heroes(roomNid, snapshotNid, readerNid)) };
  }

  /** What all members see alike. */
  async withoutHeroes(roomNid: number, snapshotNid: number): Promise<RoomProfile> {
    const { joined, invited } = await this.#parts.summaries.counts(roomNid, snapshotNid);
    const { name, avatar } = await this.#look(roomNid, snapshotNid);
    return {
      ...(name !== null && { name }),
      ...(avatar !== null && { avatar }),
      joined_count: joined,
      invited_count: invited,
    };
  }

  /** What a room has that has no name: members by whom it is called. */
  async heroes(
    roomNid: number,
    snapshotNid: number,
    readerNid: number,
  ): Promise<Pick<RoomProfile, "heroes">> {
    const { heroes } = await this.#parts.summaries.of(roomNid, snapshotNid, readerNid);
    return heroes ? { heroes: await this.#heroes(snapshotNid, heroes) } : {};
  }

  /** Whether the room has lost its name or its avatar: clients take what is left away for what has not changed. */
  async isBereft(earlier: number, later: number): Promise<boolean> {
    const [before, after] = [await this.#shown(earlier), await this.#shown(later)];
    return (before.name !== null && after.name === null) || (before.avatar !== null && after.avatar === null);
  }

  #look(roomNid: number, snapshotNid: number): Promise<Look> {
    const known = this.#looks.get(roomNid);
    if (known?.snapshotNid === snapshotNid) return known.look;
    const read = { snapshotNid, look: this.#shown(snapshotNid) };
    this.#looks.set(roomNid, read);
    read.look.catch(() => {
      if (this.#looks.peek(roomNid) === read) this.#looks.delete(roomNid);
    });
    return read.look;
  }

  async #shown(snapshotNid: number): Promise<Look> {
    const name =
      (await this.#field(snapshotNid, "m.room.name", "name")) ??
      (await this.#field(snapshotNid, "m.room.canonical_alias", "canonicalAlias"));
    return { name, avatar: await this.#field(snapshotNid, "m.room.avatar", "avatarUrl") };
  }

  async #field(
    snapshotNid: number,
    type: string,
    field: "name" | "canonicalAlias" | "avatarUrl",
  ): Promise<string | null> {
    const content = await this.#content(snapshotNid, type, "");
    return (content && roomFieldsOf(type, content, null)?.[field]) ?? null;
  }

  #heroes(snapshotNid: number, userIds: readonly string[]): Promise<Hero[]> {
    return Promise.all(
      userIds.map(async (userId) => {
        const content = await this.#content(snapshotNid, "m.room.member", userId);
        const { displayname, avatar_url } = content ?? {};
        return {
          user_id: userId,
          ...(typeof displayname === "string" && { displayname }),
          ...(typeof avatar_url === "string" && { avatar_url }),
        };
      }),
    );
  }

  async #content(snapshotNid: number, type: string, stateKey: string) {
    const pairNid = await this.#parts.names.findStatePair(type, stateKey);
    const eventNid =
      pairNid === undefined ? undefined : await this.#parts.snapshots.get(snapshotNid, pairNid);
    return eventNid === undefined ? undefined : (await this.#parts.events.roomEvent(eventNid)).content;
  }
}
