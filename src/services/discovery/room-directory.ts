import type { ServerName } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { isServerName } from "../../protocol/server-name.ts";
import { networkOf } from "../../appservices/network-instances.ts";
import type { AppserviceRegistry } from "../../appservices/registry.ts";
import type {
  DirectoryPlace,
  PublicRoomsQuery,
  RoomSummary,
  RoomSummaryStore,
} from "../../storage/room-summaries.ts";

export interface DirectoryRequest {
  /** The server whose directory is asked for; this one when absent. */
  readonly server?: string | undefined;
  readonly limit?: number | undefined;
  readonly since?: string | undefined;
  readonly searchTerm?: string | undefined;
  readonly roomTypes?: readonly (string | null)[] | undefined;
  /** The instance of a third-party protocol whose rooms are asked for, as `/thirdparty/protocols` names it. */
  readonly instanceId?: string | undefined;
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
  readonly #appservices: AppserviceRegistry;

  constructor(store: RoomSummaryStore, serverName: ServerName, appservices: AppserviceRegistry) {
    this.#appservices = appservices;
    this.#store = store;
    this.#serverName = serverName;
  }

  /** @throws MatrixError M_INVALID_PARAM, M_NOT_FOUND for the directory of another server */
  async list(request: DirectoryRequest): Promise<DirectoryPage> {
    this.#checkServer(request.server);
    const { limit = defaultLimit, roomTypes, searchTerm } = request;
    if (limit < 1) throw new MatrixError("M_INVALID_PARAM", "limit has to be at least 1");
    if (roomTypes && roomTypes.length > maxRoomTypes) {
      throw new MatrixError("M_INVALID_PARAM", `room_types may have at most ${maxRoomTypes} entries`);
    }
    const from = request.since === undefined ? undefined : placeOf(request.since);
    const directory = this.#directoryOf(request);
    // A network that nobody knows has no rooms.
    if (!directory) return { rooms: [], next: undefined, previous: undefined, total: 0 };
    const query = {
      directory,
      searchTerm: searchTerm || undefined,
      roomTypes,
      from,
      limit: Math.min(limit, maxLimit),
    };
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

  /** @throws MatrixError M_INVALID_PARAM */
  #directoryOf({
    instanceId,
    includeAllNetworks,
  }: DirectoryRequest): PublicRoomsQuery["directory"] | undefined {
    if (instanceId === undefined) return includeAllNetworks ? "all" : "own";
    if (includeAllNetworks) {
      throw new MatrixError(
        "M_INVALID_PARAM",
        "Ask either for all networks or, in third_party_instance_id, for one of them",
      );
    }
    return networkOf(this.#appservices, instanceId);
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
