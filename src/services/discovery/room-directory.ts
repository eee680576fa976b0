import type { ServerName } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { isServerName } from "../../protocol/server-name.ts";
import { networkOf } from "../../appservices/network-instances.ts";
import type { AppserviceRegistry } from "../../appservices/registry.ts";
import type { DirectoryPage, DirectoryRequest } from "./directory-request.ts";
import type {
  DirectoryPlace,
  PublicRoomsQuery,
  RoomSummary,
  RoomSummaryStore,
} from "../../storage/room-summaries.ts";

const defaultLimit = 50;
const maxLimit = 200;
const maxRoomTypes = 100;
const tokenGrammar = /^([np])(\d{1,15})_(\d{1,15})$/;

/** Asks other servers for their directories. */
export interface RemoteDirectories {
  /** @throws MatrixError what the server answers, M_CONNECTION_FAILED when it does not */
  list(server: ServerName, request: DirectoryRequest): Promise<DirectoryPage>;
}

/** Public rooms: this server's own, and those of others (client-server API, "Published room directory"). */
export class RoomDirectory {
  readonly #store: RoomSummaryStore;
  readonly #serverName: ServerName;
  readonly #appservices: AppserviceRegistry;
  readonly #remote: RemoteDirectories | undefined;

  /** @param remote absent where this server talks with no others */
  constructor(
    store: RoomSummaryStore,
    serverName: ServerName,
    appservices: AppserviceRegistry,
    remote: RemoteDirectories | undefined,
  ) {
    this.#appservices = appservices;
    this.#store = store;
    this.#serverName = serverName;
    this.#remote = remote;
  }

  /**
   * @param isSignedIn whether it is known who asks: for nobody in particular no other server is asked
   * @throws MatrixError M_INVALID_PARAM, M_MISSING_TOKEN, and what another server answers
   */
  async list(request: DirectoryRequest, isSignedIn: boolean): Promise<DirectoryPage> {
    const { server, limit } = request;
    if (server === undefined || server === this.#serverName) return this.listOwn(request);
    return this.#listRemote(server, { ...request, limit: boundOf(limit) }, isSignedIn);
  }

  /** This server's own. @throws MatrixError M_INVALID_PARAM */
  async listOwn(request: DirectoryRequest): Promise<DirectoryPage<RoomSummary>> {
    const { limit, roomTypes, searchTerm } = request;
    const bound = boundOf(limit);
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
      limit: bound,
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

  async #listRemote(server: string, request: DirectoryRequest, isSignedIn: boolean): Promise<DirectoryPage> {
    if (!isServerName(server)) {
      throw new MatrixError("M_INVALID_PARAM", `${server.slice(0, 300)} is not the name of a server`);
    }
    if (!isSignedIn)
      throw new MatrixError("M_MISSING_TOKEN", "Sign in to look into another server's directory");
    if (this.#remote) return this.#remote.list(server, request);
    throw new MatrixError("M_NOT_FOUND", `The directory of ${server} cannot be reached from this server`);
  }
}

/** @throws MatrixError M_INVALID_PARAM */
function boundOf(limit = defaultLimit): number {
  if (limit < 1) throw new MatrixError("M_INVALID_PARAM", "limit has to be at least 1");
  return Math.min(limit, maxLimit);
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
