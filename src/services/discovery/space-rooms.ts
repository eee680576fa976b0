import type { RoomIndex } from "../../state/room-index.ts";
import { domainOf, parseRoomId } from "../../protocol/identifiers.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { RoomSummary, RoomSummaryStore } from "../../storage/room-summaries.ts";
import type { DescribedRoom, RemoteSpaces, ToldSpace } from "./described-room.ts";
import type { RoomVisibility } from "./room-visibility.ts";
import type { SpaceChild, SpaceChildren } from "./space-children.ts";

/** A room as a space or a client names it, with what has been heard of it on the way. */
export interface NamedRoom {
  readonly roomId: string;
  /** Servers that may be in it, unchecked. */
  readonly via: readonly string[];
  /** What a server of the space has told of it: counts for rooms only in which this server is not. */
  readonly told?: DescribedRoom | "inaccessible" | undefined;
}

/** A room as one user may see it. */
export interface FoundRoom {
  readonly room: DescribedRoom;
  readonly children: readonly SpaceChild[];
  /** What has been told of the children, by their room IDs. */
  readonly told: ReadonlyMap<string, DescribedRoom | "inaccessible">;
}

export interface FindOptions {
  /** `undefined` for nobody in particular: no other server is asked for them. */
  readonly userNid: number | undefined;
  readonly suggestedOnly: boolean;
  readonly needsChildren: boolean;
  /** How long other servers may take. */
  readonly timeoutMs: number;
}

export interface SpaceRoomsParts {
  readonly store: RoomSummaryStore;
  readonly rooms: RoomIndex;
  readonly memberships: Pick<MembershipStore, "localJoinedNids">;
  readonly children: SpaceChildren;
  readonly visibility: Pick<RoomVisibility, "standing">;
  /** Absent where this server talks with no others. */
  readonly remote: RemoteSpaces | undefined;
}

const nothingTold: FoundRoom["told"] = new Map();

/** Finds out what rooms are: those in which this server is from their state, others from what their servers tell. */
export class SpaceRooms {
  readonly #parts: SpaceRoomsParts;

  constructor(parts: SpaceRoomsParts) {
    this.#parts = parts;
  }

  /** A room with its children; `undefined` for one that the user may not see, or of which nothing can be found out. */
  async find(named: NamedRoom, options: FindOptions): Promise<FoundRoom | undefined> {
    const summary = await this.#summary(named.roomId);
    if (summary && (!this.#parts.remote || (await this.#isHere(summary)))) return this.#own(summary, options);
    const found = options.userNid === undefined ? undefined : await this.#told(named, options);
    if (found) return (await this.#maySee(found.room, options.userNid)) ? found : undefined;
    // What was known of a room when this server was in it is better than nothing.
    return summary && named.told !== "inaccessible" ? this.#own(summary, options) : undefined;
  }

  /** Has other servers asked about a room that will be looked for soon. */
  async prefetch(named: NamedRoom, options: FindOptions): Promise<void> {
    if (!this.#parts.remote) return;
    const summary = await this.#summary(named.roomId);
    if (!summary || !(await this.#isHere(summary))) await this.#told(named, options);
  }

  async #told(named: NamedRoom, options: FindOptions): Promise<FoundRoom | undefined> {
    const { roomId, via, told } = named;
    const { suggestedOnly, needsChildren, timeoutMs } = options;
    if (told === "inaccessible") return undefined;
    const withoutChildren = told && { room: told, children: [], told: nothingTold };
    if (withoutChildren && (told.roomType !== "m.space" || !needsChildren)) return withoutChildren;
    const id = parseRoomId(roomId);
    const home = id && domainOf(id);
    const servers = home === undefined ? via : [...via, home];
    const space = await this.#parts.remote?.find(roomId, servers, suggestedOnly, timeoutMs);
    return space ? { ...space, told: toldOf(space) } : withoutChildren;
  }

  async #own(summary: RoomSummary, options: FindOptions): Promise<FoundRoom | undefined> {
    if (!(await this.#maySee(summary, options.userNid))) return undefined;
    const children = options.needsChildren
      ? await this.#parts.children.of(summary, options.suggestedOnly)
      : [];
    return { room: summary, children, told: nothingTold };
  }

  async #maySee(room: DescribedRoom, userNid: number | undefined): Promise<boolean> {
    const { membership, maySee } = await this.#parts.visibility.standing(room, userNid);
    return maySee && membership !== "ban";
  }

  async #summary(roomId: string): Promise<RoomSummary | undefined> {
    const room = await this.#parts.rooms.find(roomId);
    return room && this.#parts.store.of(room.roomNid);
  }

  async #isHere({ roomNid }: RoomSummary): Promise<boolean> {
    return (await this.#parts.memberships.localJoinedNids(roomNid, 1)).length > 0;
  }
}

function toldOf({ described, inaccessible }: ToldSpace): FoundRoom["told"] {
  const closed = [...inaccessible].map((roomId) => [roomId, "inaccessible"] as const);
  return new Map<string, DescribedRoom | "inaccessible">([...closed, ...described]);
}
