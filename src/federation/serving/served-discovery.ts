import type { ServerName } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { DirectoryPage, DirectoryRequest } from "../../services/discovery/directory-request.ts";
import type { RoomDirectory } from "../../services/discovery/room-directory.ts";
import { isOpenToAll, isRestricted } from "../../services/discovery/room-visibility.ts";
import type { SpaceChild, SpaceChildren } from "../../services/discovery/space-children.ts";
import type { CurrentState } from "../../state/current-state.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { RoomSummary, RoomSummaryStore } from "../../storage/room-summaries.ts";
import type { RoomParticipation } from "../room-participation.ts";

export interface ServedDiscoveryParts {
  readonly directory: RoomDirectory;
  readonly store: RoomSummaryStore;
  readonly rooms: RoomIndex;
  readonly state: Pick<CurrentState, "event">;
  readonly children: SpaceChildren;
  readonly participation: RoomParticipation;
  readonly memberships: Pick<MembershipStore, "of" | "usersOfServer">;
  readonly names: Pick<NameCache, "findUser">;
  /** Whether other servers may look into this one's directory. */
  readonly sharesDirectory: boolean;
}

/** A space as another server gets it. */
export interface ServedSpace {
  readonly room: RoomSummary;
  readonly childState: readonly SpaceChild[];
  readonly children: readonly RoomSummary[];
  readonly inaccessible: readonly string[];
}

/** No more rooms than this on a page for those who ask for "no limit". */
const unlimited = 1_000;
/** In a closed room so many users of a server are looked at for one who is invited. */
const maxUsers = 100;

/** What other servers may find out about rooms before they are in them. */
export class ServedDiscovery {
  readonly #parts: ServedDiscoveryParts;

  constructor(parts: ServedDiscoveryParts) {
    this.#parts = parts;
  }

  /**
   * A page of this server's directory, without those rooms that the server could not come into.
   * @throws MatrixError M_FORBIDDEN where the directory is for this server's users only, M_INVALID_PARAM
   */
  async list(server: ServerName, request: DirectoryRequest): Promise<DirectoryPage> {
    if (!this.#parts.sharesDirectory) {
      throw new MatrixError("M_FORBIDDEN", "This server's directory of rooms is for its own users");
    }
    const page = await this.#parts.directory.listOwn({ ...request, limit: request.limit || unlimited });
    const admitted = await Promise.all(page.rooms.map((room) => this.#mayEnter(room, server)));
    return { ...page, rooms: page.rooms.filter((_, index) => admitted[index]) };
  }

  /**
   * A room and, of a space, its children: those that users of the asking server could read or come into.
   * @throws MatrixError M_NOT_FOUND for a room that this server is not in, or that is closed to the asking one
   */
  async hierarchy(server: ServerName, roomId: string, suggestedOnly: boolean): Promise<ServedSpace> {
    const room = await this.#summary(roomId);
    if (!room || !(await this.#isAccessible(room, server))) {
      throw new MatrixError("M_NOT_FOUND", "This server knows no such room that yours could come into");
    }
    const childState = await this.#parts.children.of(room, suggestedOnly);
    const children: RoomSummary[] = [];
    const inaccessible: string[] = [];
    for (const child of childState) {
      const summary = await this.#summary(child.roomId);
      // "Rooms which the responding server cannot provide details on will be outright excluded from the response instead."
      if (!summary) continue;
      if (await this.#isAccessible(summary, server)) children.push(summary);
      else inaccessible.push(child.roomId);
    }
    return { room, childState, children, inaccessible };
  }

  /** What a room tells of itself, of those in which this server is: others it may know from long ago. */
  async #summary(roomId: string): Promise<RoomSummary | undefined> {
    const { rooms, participation, store } = this.#parts;
    const room = await rooms.find(roomId);
    return room && (await participation.isJoined(room)) ? store.of(room.roomNid) : undefined;
  }

  /** Whether users of a server could read a room or come into it; which of them, that server sees to. */
  async #isAccessible(summary: RoomSummary, server: ServerName): Promise<boolean> {
    if (!(await this.#mayEnter(summary, server))) return false;
    if (summary.isWorldReadable || isOpenToAll(summary)) return true;
    const { rooms, participation } = this.#parts;
    const room = await rooms.byNid(summary.roomNid);
    if (await participation.hasUsersOf(room, server)) return true;
    if (await this.#isExpected(room, server)) return true;
    if (!isRestricted(summary)) return false;
    for (const roomId of summary.allowedRoomIds) {
      const allowed = await rooms.find(roomId);
      if (allowed && (await participation.hasUsersOf(allowed, server))) return true;
    }
    return false;
  }

  /** Whether the room is not closed to a server as a whole, by its ACL or because it is for its own server only. */
  async #mayEnter({ roomNid }: RoomSummary, server: ServerName): Promise<boolean> {
    const { rooms, participation, state } = this.#parts;
    const room = await rooms.byNid(roomNid);
    if (!(await participation.admits(room, server))) return false;
    const create = await state.event(room, "m.room.create", "");
    return create?.content["m.federate"] !== false;
  }

  /** Whether a user of a server is invited, or has knocked. */
  async #isExpected({ roomNid }: Room, server: ServerName): Promise<boolean> {
    const { memberships, names } = this.#parts;
    for (const userId of await memberships.usersOfServer(roomNid, server, maxUsers)) {
      const userNid = await names.findUser(userId);
      const row = userNid === undefined ? undefined : await memberships.of(roomNid, userNid);
      if (row?.membership === "invite" || row?.membership === "knock") return true;
    }
    return false;
  }
}
