import type { RoomWriter } from "../ingest/room-writer.ts";
import type { JobKind, JobPart, JobStep } from "../jobs/job-kind.ts";
import type { JobRunner } from "../jobs/job-runner.ts";
import type { ServerName, UserId } from "../protocol/identifiers.ts";
import type { JsonObject } from "../protocol/json.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { LocalUser } from "../services/local-user.ts";
import type { MemberProfiles } from "../services/rooms/member-profile.ts";
import type { RoomCreation } from "../services/rooms/room-creation.ts";
import type { Room, RoomIndex } from "../state/room-index.ts";
import type { Account, AccountStore } from "../storage/accounts.ts";
import type { RoomRemovalStore } from "../storage/room-removals.ts";
import type { RoomStore } from "../storage/rooms.ts";
import type { BlockedRooms } from "../services/rooms/blocked-rooms.ts";
import { actingAs, localAccount } from "./local-account.ts";

/** What becomes of a room that is deleted. */
export interface DeletionWish {
  /** Whether nobody of this server may join it again. */
  readonly block: boolean;
  /** Whether it is taken out of the database. */
  readonly purge: boolean;
  /** Even when somebody could not be made to leave. */
  readonly forcePurge: boolean;
  /** Who makes a new room for its members, in which they are told why; `null` for none. */
  readonly newRoomUserId: string | null;
  readonly newRoomName: string | null;
  readonly message: string | null;
}

export interface RoomDeletionParts {
  readonly removals: RoomRemovalStore;
  readonly roomStore: Pick<RoomStore, "aliasesOf" | "moveNames">;
  readonly rooms: RoomIndex;
  readonly writer: RoomWriter;
  readonly creation: Pick<RoomCreation, "create">;
  readonly profiles: MemberProfiles;
  readonly accounts: Pick<AccountStore, "find">;
  readonly blocked: BlockedRooms;
  readonly serverName: ServerName;
}

/** How far a deletion is; JSON. */
interface Progress {
  readonly newRoomId: string | null;
  /** The member who left last, by integer ID. */
  readonly leftUpTo: number;
  /** Whether all have left who are of this server. */
  readonly isEmpty: boolean;
  /** Events to take away; `null` before they have been counted. */
  readonly total: number | null;
  readonly kicked: readonly string[];
  readonly failed: readonly string[];
  readonly aliases: readonly string[];
}

const nothingDone: Progress = {
  newRoomId: null,
  leftUpTo: 0,
  isEmpty: false,
  total: null,
  kicked: [],
  failed: [],
  aliases: [],
};
const membersAtOnce = 20;
/** Takes some ten milliseconds of the writer's time. */
const eventsAtOnce = 100;
/** So many names are told of those who left. */
const maxNamed = 1_000;
const stayingMemberships: readonly unknown[] = ["join", "invite", "knock"];
const defaultRoomName = "This room has been closed";
const defaultMessage = "An administrator of this server has closed the room that you were in.";

export const deleteRoomJob = "delete-room";

/**
 * Deletes rooms: nobody can come back where that is wished; all members of this server leave, and are brought into a new
 * room where there is one; then everything that was in it goes. Other servers keep what they have.
 */
export class RoomDeletion implements JobKind {
  readonly kind = deleteRoomJob;
  readonly #parts: RoomDeletionParts;

  constructor(parts: RoomDeletionParts) {
    this.#parts = parts;
  }

  /**
   * Begins to delete a room, or only blocks it when it is not known here.
   * @param author the administrator
   * @returns the job's ID
   * @throws MatrixError M_INVALID_PARAM, M_NOT_FOUND for an unknown room that is not to be blocked, or a new room's maker who is nobody; as `JobRunner.start`
   */
  async begin(jobs: JobRunner, roomId: string, wish: DeletionWish, author: UserId): Promise<string> {
    if (wish.newRoomUserId !== null) await this.#maker(wish.newRoomUserId);
    if (!wish.block && !(await this.#parts.rooms.findEvenRemoved(roomId))) {
      throw new MatrixError(
        "M_NOT_FOUND",
        "This server does not know this room: with block nobody can join it",
      );
    }
    if (wish.block) await this.#parts.blocked.block(roomId, author);
    return jobs.start(this.kind, roomId, { ...wish }, author);
  }

  async step({ subject: roomId, params, cursor, doneCount }: JobPart): Promise<JobStep> {
    const wish = params as unknown as DeletionWish;
    const progress = { ...nothingDone, ...(cursor as Partial<Progress> | null) };
    const room = await this.#parts.rooms.findEvenRemoved(roomId);
    // It was never known, or the last part was done and could not be noted.
    if (!room) return ended(progress, doneCount);
    if (wish.newRoomUserId !== null && progress.newRoomId === null) {
      return this.#makeNewRoom(room, wish, wish.newRoomUserId, progress);
    }
    if (!progress.isEmpty) return this.#emptyRoom(room, progress);
    if (!wish.purge) return ended(progress, doneCount);
    if (progress.failed.length > 0 && !wish.forcePurge) {
      const who = progress.failed.slice(0, 5).join(", ");
      throw new MatrixError(
        "M_UNKNOWN",
        `Some could not be made to leave (${who}): set force_purge to go on`,
      );
    }
    return this.#removePart(room, progress, doneCount);
  }

  async #makeNewRoom(room: Room, wish: DeletionWish, makerId: string, progress: Progress): Promise<JobStep> {
    const { creation, writer, roomStore } = this.#parts;
    const maker = await this.#maker(makerId);
    const made = await creation.create(
      { ...actingAs(maker), isAdmin: true },
      {
        visibility: "private",
        preset: "public_chat",
        name: wish.newRoomName ?? defaultRoomName,
        invite: [],
        inviteReason: undefined,
        isDirect: false,
        creationContent: {},
        initialState: [],
        // They may read, and not write.
        powerLevelOverride: { users_default: -10 },
      },
    );
    const content = { msgtype: "m.text", body: wish.message ?? defaultMessage };
    await writer.decide(made, async () => [{ type: "m.room.message", sender: maker.userId, content }]);
    const aliases = (await roomStore.aliasesOf(room.roomNid)).map(({ alias }) => alias);
    await roomStore.moveNames(room.roomNid, made.roomNid);
    return going({ ...progress, newRoomId: made.roomId, aliases }, 0);
  }

  /** Makes the next members leave. */
  async #emptyRoom(room: Room, progress: Progress): Promise<JobStep> {
    const { removals } = this.#parts;
    const members = await removals.localMembers(room.roomNid, progress.leftUpTo, membersAtOnce);
    const last = members.at(-1);
    if (!last) {
      const total = await removals.countEvents(room.roomNid);
      return going({ ...progress, isEmpty: true, total }, 0);
    }
    const newRoom =
      progress.newRoomId === null ? undefined : await this.#parts.rooms.find(progress.newRoomId);
    const kicked = [...progress.kicked];
    const failed = [...progress.failed];
    for (const member of members) {
      const names = (await this.#move(member, room, newRoom)) ? kicked : failed;
      if (names.length < maxNamed) names.push(member.userId);
    }
    return going({ ...progress, leftUpTo: last.userNid, kicked, failed }, 0);
  }

  /** @returns false when the room's rules let the member not go, as a damaged room's may */
  async #move(member: LocalUser, room: Room, newRoom: Room | undefined): Promise<boolean> {
    const { writer, profiles } = this.#parts;
    const { userId } = member;
    try {
      await writer.decide(room, async (state) => {
        if (!stayingMemberships.includes(await state.membership(userId))) return [];
        return [memberEvent(userId, { membership: "leave" })];
      });
      if (newRoom) {
        const profile = await profiles.memberContent(member.userNid);
        await writer.decide(newRoom, async (state) => {
          if ((await state.membership(userId)) === "join") return [];
          return [memberEvent(userId, { ...profile, membership: "join" })];
        });
      }
      return true;
    } catch (error) {
      if (error instanceof MatrixError) return false;
      throw error;
    }
  }

  async #removePart({ roomNid, roomId }: Room, progress: Progress, doneCount: number): Promise<JobStep> {
    const { removals, rooms } = this.#parts;
    if (doneCount === 0) await removals.begin(roomNid);
    rooms.forget(roomNid, roomId);
    const { eventCount, isDone } = await removals.removePart(roomNid, eventsAtOnce);
    const done = doneCount + eventCount;
    return isDone ? ended(progress, done) : going(progress, done);
  }

  /** @throws MatrixError M_INVALID_PARAM, M_NOT_FOUND */
  #maker(name: string): Promise<Account> {
    return localAccount(this.#parts.accounts, this.#parts.serverName, name);
  }
}

function memberEvent(userId: UserId, content: JsonObject) {
  return { type: "m.room.member", stateKey: userId, sender: userId, content };
}

function going(progress: Progress, doneCount: number): JobStep {
  return { cursor: { ...progress } as unknown as JsonObject, doneCount, totalCount: progress.total };
}

function ended(progress: Progress, doneCount: number): JobStep {
  const { kicked, failed, aliases, newRoomId } = progress;
  const result = {
    kicked_users: [...kicked],
    failed_to_kick_users: [...failed],
    local_aliases: [...aliases],
    new_room_id: newRoomId,
  };
  return { ...going(progress, doneCount), result };
}
