import { parseUserId, type ServerName, serverNameOf } from "../../protocol/identifiers.ts";
import type { Room } from "../../state/room-index.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { RoomParticipation } from "../room-participation.ts";

/** Which rooms and users an EDU of another server may be about. */
export class EduRooms {
  readonly #participation: Pick<RoomParticipation, "find" | "isJoined" | "admits">;
  readonly #names: Pick<NameCache, "findUser">;
  readonly #memberships: Pick<MembershipStore, "of">;

  constructor(
    participation: Pick<RoomParticipation, "find" | "isJoined" | "admits">,
    names: Pick<NameCache, "findUser">,
    memberships: Pick<MembershipStore, "of">,
  ) {
    this.#participation = participation;
    this.#names = names;
    this.#memberships = memberships;
  }

  /**
   * A room that this server is in and that admits the sender: "ACLs MUST be applied to all EDUs that are local to a
   * specific room" (server-server API, "Server Access Control Lists (ACLs)").
   */
  async open(roomId: string, origin: ServerName): Promise<Room | undefined> {
    const room = await this.#participation.find(roomId);
    if (!room || !(await this.#participation.isJoined(room))) return undefined;
    return (await this.#participation.admits(room, origin)) ? room : undefined;
  }

  /** "Receiving servers should verify that the user is in the room, and is a user belonging to the sending server." */
  async member({ roomNid }: Room, origin: ServerName, userId: string): Promise<number | undefined> {
    const user = parseUserId(userId);
    if (!user || serverNameOf(user) !== origin) return undefined;
    const userNid = await this.#names.findUser(user);
    const row = userNid === undefined ? undefined : await this.#memberships.of(roomNid, userNid);
    return row?.membership === "join" ? userNid : undefined;
  }
}
