import type { RoomEventFilterJson } from "../../api/client/filtering.ts";
import type { RoomIndex } from "../../state/room-index.ts";
import type { MembershipLogRow, MembershipStore } from "../../storage/memberships.ts";
import type { SearchedRoom } from "../../storage/search-index.ts";
import type { RoomSuccession } from "../rooms/room-succession.ts";
import { Selection } from "../../sync/event-filter.ts";
import { startOfTime } from "../../timeline/room-timelines.ts";

/** Beyond every position there is. */
const endOfTime = Number.MAX_SAFE_INTEGER;

/** Further rooms are searched without those that they have replaced. */
const maxUpgradedRooms = 100;
const maxUpgrades = 20;

/** Finds out where somebody may search: "in all rooms that the user has been in, including those that they have left". */
export class SearchedRooms {
  readonly #memberships: Pick<MembershipStore, "roomsOf" | "changes">;
  readonly #rooms: RoomIndex;
  readonly #succession: Pick<RoomSuccession, "predecessor">;

  constructor(
    memberships: Pick<MembershipStore, "roomsOf" | "changes">,
    rooms: RoomIndex,
    succession: Pick<RoomSuccession, "predecessor">,
  ) {
    this.#memberships = memberships;
    this.#rooms = rooms;
    this.#succession = succession;
  }

  /** Forgotten rooms are not among them, nor those that the filter leaves out. */
  async of(
    userNid: number,
    filter: Pick<RoomEventFilterJson, "rooms" | "not_rooms">,
  ): Promise<SearchedRoom[]> {
    const all = await this.#memberships.roomsOf(userNid, ["join", "leave", "ban", "invite", "knock"]);
    const changes = await this.#memberships.changes(userNid, startOfTime, endOfTime);
    const byRoom = Map.groupBy(changes, ({ roomNid }) => roomNid);
    const wanted = filter.rooms && (await this.#withPredecessors(filter.rooms));
    const selection = new Selection(wanted, filter.not_rooms);
    const searched: SearchedRoom[] = [];
    for (const { roomNid } of all) {
      const room = stayIn(roomNid, byRoom.get(roomNid) ?? []);
      if (!room) continue;
      if (selection.all || selection.has((await this.#rooms.byNid(roomNid)).roomId)) searched.push(room);
    }
    return searched;
  }

  /** To people a room that has been upgraded is one room with those that it has replaced. */
  async #withPredecessors(roomIds: readonly string[]): Promise<string[]> {
    const all = new Set(roomIds);
    for (const roomId of roomIds.slice(0, maxUpgradedRooms)) {
      let room = await this.#rooms.find(roomId);
      for (let upgrades = 0; room && upgrades < maxUpgrades; upgrades++) {
        room = await this.#succession.predecessor(room);
        if (room) all.add(room.roomId);
      }
    }
    return [...all];
  }
}

/** From when to when somebody was in a room the last time; `undefined` for who never was. */
function stayIn(roomNid: number, changes: readonly MembershipLogRow[]): SearchedRoom | undefined {
  const joined = changes.findLastIndex(({ membership }) => membership === "join");
  const from = changes[joined]?.position;
  if (from === undefined) return undefined;
  return { roomNid, memberFrom: from, upTo: changes[joined + 1]?.position ?? endOfTime };
}
