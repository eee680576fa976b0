import type { ServerName } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { isServerName } from "../../protocol/server-name.ts";
import type { DirectoryPlace, RoomSummary, RoomSummaryStore } from "../../storage/room-summaries.ts";

export interface DirectoryRequest {
  /** The server whose directory is asked for; this one when absent. */
  readonly server?: string | undefined;
  readonly limit?: number | undefined;
  readonly since?: string | undefined;
  readonly searchTerm?: string | undefined;
  readonly roomTypes?: readonly (string | null)[] | undefined;
  /** The network of a bridge whose rooms are asked for. */
  readonly networkId?: string | undefined;
  readonly includeAllNetworks?: boolean | undefined;
}

export interface DirectoryPage {
  readonly rooms: readonly RoomSummary[];
  readonly next: string | undefined;
  readonly previous: string | undefined;
  readonly total: number;
}

const defaultLimit = 50;
const maxLimit = 200;
const maxRoomTypes = 100;
const tokenGrammar = /^([np])(\d{1,15})_(\d{1,15})$/;

/** This server's public rooms (client-server API, "Published room directory"). */
export class RoomDirectory {
  readonly #store: RoomSummaryStore;
  readonly #serverName: ServerName;

  constructor(store: RoomSummaryStore, serverName: ServerName) {
    this.#store = store;
    this.#serverName = serverName;
  }

  /** @throws MatrixError M_INVALID_PARAM, M_NOT_FOUND for the directory of another server */
  async list(request: DirectoryRequest): Promise<DirectoryPage> {
    this.#checkServer(request.server);
    const { limit = defaultLimit, roomTypes, searchTerm, networkId } = request;
    if (limit < 1) throw new MatrixError("M_INVALID_PARAM", "limit has to be at least 1");
    if (roomTypes && roomTypes.length > maxRoomTypes) {
      throw new MatrixError("M_INVALID_PARAM", `room_types may have at most ${maxRoomTypes} entries`);
    }
    const from = request.since === undefined ? undefined : placeOf(request.since);
    if (networkId !== undefined) {
      if (request.includeAllNetworks) {
        throw new MatrixError(
          "M_INVALID_PARAM",
          "Ask either for all networks or, in third_party_instance_id, for one of them",
        );
      }
      // No network is bridged, so none of them has rooms.
      return { rooms: [], next: undefined, previous: undefined, total: 0 };
    }
    const query = { searchTerm: searchTerm || undefined, roomTypes, from, limit: Math.min(limit, maxLimit) };
    const { rooms, hasMore, total } = await this.#store.listPublic(query);
    const isForwards = from?.direction !== "backwards";
    const [first, last] = [rooms[0], rooms.at(-1)];
    const hasNext = isForwards ? hasMore : true;
    const hasPrevious = isForwards ? from !== undefined : hasMore;
    return {
      rooms,
      next: last && hasNext ? tokenOf("n", last) : undefined,
      previous: first && hasPrevious ? tokenOf("p", first) : undefined,
      total,
    };
  }

  #checkServer(server: string | undefined): void {
    if (server === undefined || server === this.#serverName) return;
    if (!isServerName(server)) {
      throw new MatrixError("M_INVALID_PARAM", `${server.slice(0, 300)} is not the name of a server`);
    }
    throw new MatrixError("M_NOT_FOUND", `The directory of ${server} cannot be reached from this server`);
  }
}

/** A token names the room next to the page, so that rooms that come and go do not move the pages. */
function tokenOf(direction: "n" | "p", { joinedMembers, roomNid }: RoomSummary): string {
  return `${direction}${joinedMembers}_${roomNid}`;
}

function placeOf(token: string): DirectoryPlace {
  const [, direction, joinedMembers, roomNid] = tokenGrammar.exec(token) ?? [];
  if (direction === undefined) {
    throw new MatrixError("M_INVALID_PARAM", "since is no token that this server has given out");
  }
  return {
    direction: direction === "n" ? "forwards" : "backwards",
    joinedMembers: Number(joinedMembers),
    roomNid: Number(roomNid),
  };
}
