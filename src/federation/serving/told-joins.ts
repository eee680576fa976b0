import { type ServerName, serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { StateMap, StateSnapshots } from "../../state/state-snapshots.ts";
import type { EventStore, StoredEvent } from "../../storage/events.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { RoomServers } from "../room-servers.ts";

export interface ToldJoinsParts {
  readonly ownName: ServerName;
  readonly servers: Pick<RoomServers, "of">;
  readonly eventStore: Pick<EventStore, "authChain" | "nidsOf">;
  readonly events: Pick<EventReader, "roomEvent">;
  readonly snapshots: Pick<StateSnapshots, "map">;
  readonly memberships: Pick<MembershipStore, "oldestMembers">;
  readonly names: NameCache;
}

/** What a server is told of a room into which one of its users has come; events as integer IDs. */
export interface ToldJoin {
  readonly state: readonly number[];
  readonly authChain: readonly number[];
  /** The servers that were in the room before; absent where all members are told. */
  readonly servers?: readonly string[] | undefined;
}

/** "This should be the first 5 members of the room": see `m.heroes` in the client-server API's room summary. */
const maxHeroes = 5;

/** Chooses what to tell a server that joins (server-server API, `PUT /_matrix/federation/v2/send_join`). */
export class ToldJoins {
  readonly #parts: ToldJoinsParts;

  constructor(parts: ToldJoinsParts) {
    this.#parts = parts;
  }

  /** @param omitsMembers whether the server wants to learn of the members later */
  async of(join: StoredEvent, omitsMembers: boolean): Promise<ToldJoin> {
    const { snapshots, eventStore } = this.#parts;
    const before = join.stateBefore === null ? new Map() : await snapshots.map(join.stateBefore);
    if (!omitsMembers) {
      const all = [...before.values()];
      return { state: all, authChain: await eventStore.authChain(all) };
    }
    const state = await this.#withoutMembers(join, before);
    const { authEventIds } = await this.#parts.events.roomEvent(join.eventNid);
    const direct = (await eventStore.nidsOf(authEventIds)).map(({ eventNid }) => eventNid);
    const chain = new Set([...direct, ...(await eventStore.authChain([...state, ...direct]))]);
    // "Any events that are returned in state may be omitted from auth_chain."
    return { state, authChain: [...chain.difference(new Set(state))], servers: await this.#servers(join) };
  }

  /** All but the member events, with those after whom a room without a name is called. */
  async #withoutMembers(join: StoredEvent, before: StateMap): Promise<number[]> {
    const { names, memberships } = this.#parts;
    const state: number[] = [];
    for (const [pairNid, eventNid] of before) {
      if ((await names.statePair(pairNid)).type !== "m.room.member") state.push(eventNid);
    }
    if (await this.#isNamed(before)) return state;
    const oldest = await memberships.oldestMembers(join.roomNid, ["join", "invite"], maxHeroes + 1);
    for (const userNid of oldest.filter((nid) => nid !== join.senderNid).slice(0, maxHeroes)) {
      const pairNid = await names.findStatePair("m.room.member", await names.userId(userNid));
      const eventNid = pairNid === undefined ? undefined : before.get(pairNid);
      if (eventNid !== undefined) state.push(eventNid);
    }
    return state;
  }

  async #isNamed(state: StateMap): Promise<boolean> {
    for (const type of ["m.room.name", "m.room.canonical_alias"]) {
      const pairNid = await this.#parts.names.findStatePair(type, "");
      if (pairNid !== undefined && state.has(pairNid)) return true;
    }
    return false;
  }

  /** Whether the joiner's own server was in the room before it knows itself. */
  async #servers({ roomNid, senderNid }: StoredEvent): Promise<string[]> {
    const { ownName, servers, names } = this.#parts;
    const joiner = serverNameOf((await names.userId(senderNid)) as UserId);
    return [ownName, ...(await servers.of(roomNid)).filter((server) => server !== joiner)];
  }
}
