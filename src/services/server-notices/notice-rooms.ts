import type { ActingUser } from "../../auth/requester.ts";
import type { Config } from "../../config/schema.ts";
import type { RoomWriter } from "../../ingest/room-writer.ts";
import type { CurrentState } from "../../state/current-state.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { ServerNoticeStore } from "../../storage/server-notices.ts";
import type { AccountDataService } from "../account-data.ts";
import type { LocalUser } from "../local-user.ts";
import type { MemberProfiles } from "../rooms/member-profile.ts";
import type { RoomCreation } from "../rooms/room-creation.ts";
import type { RoomMembership } from "../rooms/room-membership.ts";

export interface NoticeRoomsParts {
  readonly config: Config["server_notices"];
  readonly sender: ActingUser;
  readonly store: ServerNoticeStore;
  readonly rooms: RoomIndex;
  readonly state: Pick<CurrentState, "membership">;
  readonly creation: RoomCreation;
  readonly writer: RoomWriter;
  readonly membership: Pick<RoomMembership, "refreshProfile">;
  readonly profiles: MemberProfiles;
  readonly accountData: AccountDataService;
}

const tag = "m.server_notice";
/** The server alone writes and invites. */
const powerLevels = { events_default: 50, invite: 50 };

/** "Servers should manage exactly 1 server notices room per user." */
export class NoticeRooms {
  readonly #parts: NoticeRoomsParts;
  /** Rooms that are being made, by user: two notices at once must not make two. */
  readonly #underWay = new Map<number, Promise<Room>>();

  constructor(parts: NoticeRoomsParts) {
    this.#parts = parts;
  }

  /** The room of a user, made when there is none; a user who is not in it is invited (again). */
  roomFor(user: LocalUser): Promise<Room> {
    const known = this.#underWay.get(user.userNid);
    if (known) return known;
    const room = this.#ready(user).finally(() => this.#underWay.delete(user.userNid));
    this.#underWay.set(user.userNid, room);
    return room;
  }

  async #ready(user: LocalUser): Promise<Room> {
    const room = (await this.#present(user)) ?? (await this.#create(user));
    await this.#tag(user, room);
    await this.#invite(user, room);
    return room;
  }

  /** The user's room, unless somebody else wrote in it: the configuration may name another sender by now. */
  async #present({ userNid }: LocalUser): Promise<Room | undefined> {
    const { store, rooms, state, membership, sender } = this.#parts;
    const roomNid = await store.roomOf(userNid);
    const room = roomNid === undefined ? undefined : await rooms.byNid(roomNid);
    if (!room || (await state.membership(room, sender.userId)) !== "join") return undefined;
    // The sender may be called otherwise by now, too.
    await membership.refreshProfile(sender.userId, sender.userNid, room.roomNid);
    return room;
  }

  async #create(user: LocalUser): Promise<Room> {
    const { config, creation, sender, store } = this.#parts;
    const { room_name: name, avatar_url: url } = config;
    const avatar = url === null ? [] : [{ type: "m.room.avatar", stateKey: "", content: { url } }];
    const room = await creation.create(sender, {
      visibility: "private",
      preset: "private_chat",
      name,
      invite: [],
      inviteReason: undefined,
      isDirect: false,
      creationContent: {},
      initialState: [
        { type: "m.room.guest_access", stateKey: "", content: { guest_access: "forbidden" } },
        ...avatar,
      ],
      powerLevelOverride: powerLevels,
    });
    await store.setRoom(user.userNid, room.roomNid);
    return room;
  }

  /** "Servers must identify this room to clients with the m.server_notice tag." */
  async #tag({ userNid }: LocalUser, { roomId }: Room): Promise<void> {
    const { accountData } = this.#parts;
    if (Object.hasOwn(await accountData.tags(userNid, roomId), tag)) return;
    await accountData.putTag(userNid, roomId, tag, {});
  }

  /**
   * "Servers should invite the target user rather than automatically join them": but an invite is not shown to those who
   * take none, and the notice has to reach them.
   */
  async #invite({ userNid, userId }: LocalUser, room: Room): Promise<void> {
    const { writer, sender, profiles, config, accountData } = this.#parts;
    const permission = await accountData.invitePermission(userNid);
    const verdict = (await accountData.inviteFilter(userNid)).verdict(sender.userId);
    const joins = config.auto_join || permission !== "allow" || verdict !== "allow";
    const profile = await profiles.memberContent(userNid);
    const member = (membership: string, from: typeof userId) => ({
      type: "m.room.member",
      stateKey: userId,
      sender: from,
      content: { ...profile, membership },
    });
    await writer.decide(room, async (state) => {
      const membership = await state.membership(userId);
      if (membership === "join" || (membership === "invite" && !joins)) return [];
      const invite = membership === "invite" ? [] : [member("invite", sender.userId)];
      return joins ? [...invite, member("join", userId)] : invite;
    });
  }
}
