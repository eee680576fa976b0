import type { ActingUser } from "../auth/requester.ts";
import type { DraftState } from "../ingest/draft-state.ts";
import type { RoomWriter } from "../ingest/room-writer.ts";
import { type PowerLevels, powerLevelsOf } from "../protocol/auth/power-levels.ts";
import { serverNameOf, type ServerName, type UserId } from "../protocol/identifiers.ts";
import { isJsonObject, type JsonObject } from "../protocol/json.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import { namedUserId } from "../services/named-ids.ts";
import type { RoomAliases } from "../services/rooms/room-aliases.ts";
import type { RoomMembership } from "../services/rooms/room-membership.ts";
import type { CurrentState } from "../state/current-state.ts";
import type { Room, RoomIndex } from "../state/room-index.ts";
import type { AccountStore } from "../storage/accounts.ts";
import type { RoomStore } from "../storage/rooms.ts";
import { actingAs, localAccount } from "./local-account.ts";

export interface RoomMembersParts {
  readonly membership: Pick<RoomMembership, "joinNamed" | "invite">;
  readonly aliases: Pick<RoomAliases, "locate" | "byIdOrAlias">;
  readonly store: Pick<RoomStore, "alias">;
  readonly rooms: RoomIndex;
  readonly state: CurrentState;
  readonly writer: Pick<RoomWriter, "decide">;
  readonly accounts: Pick<AccountStore, "find">;
  readonly serverName: ServerName;
}

const levelsType = "m.room.power_levels";
/** What a user gets from one whose power has no bound. */
const administratorLevel = 100;

/** What administrators do to the members of rooms. */
export class RoomMembers {
  readonly #parts: RoomMembersParts;

  constructor(parts: RoomMembersParts) {
    this.#parts = parts;
  }

  /**
   * Brings a user of this server into a room; the administrator invites them where that is needed.
   * @param via servers that may be in the room, unchecked
   * @returns the room's ID
   * @throws MatrixError M_INVALID_PARAM, M_NOT_FOUND, and what joins and invites throw
   */
  async join(
    requester: ActingUser,
    roomIdOrAlias: string,
    via: readonly string[],
    name: string,
  ): Promise<string> {
    const { accounts, serverName, aliases, rooms, membership } = this.#parts;
    const account = await localAccount(accounts, serverName, name);
    const located = await aliases.locate(roomIdOrAlias, via);
    const room = await rooms.find(located.roomId);
    if (room && (await this.#needsInvite(room, account.userId))) {
      await membership.invite(requester, room.roomId, account.userId);
    }
    return (await membership.joinNamed(actingAs(account), located)).roomId;
  }

  /**
   * Gives a user as much power in a room as the user of this server has who has most, and invites them where they could
   * not join.
   * @throws MatrixError M_INVALID_PARAM, M_NOT_FOUND; M_UNKNOWN when nobody of this server has the power to do it
   */
  async makeAdmin(roomIdOrAlias: string, name: string): Promise<void> {
    const { aliases, writer, accounts, serverName, membership } = this.#parts;
    const target = namedUserId(name);
    const room = await aliases.byIdOrAlias(roomIdOrAlias);
    let granter: UserId | undefined;
    await writer.decide(room, async (state) => {
      const create = await state.event("m.room.create", "");
      const current = await state.event(levelsType, "");
      const levels = create && powerLevelsOf(room.version, create, current);
      granter = levels && (await this.#mostPowerful(state, levels));
      if (!levels || granter === undefined) throw nobodyMay();
      if (levels.userLevel(target) >= levels.userLevel(granter)) return [];
      const content = raised(current?.content ?? {}, levels, granter, target);
      return [{ type: levelsType, stateKey: "", sender: granter, content }];
    });
    if (granter === undefined || !(await this.#needsInvite(room, target))) return;
    const account = await localAccount(accounts, serverName, granter);
    await membership.invite(actingAs(account), room.roomId, target);
  }

  /** What a user is in a room; `null` where the room is not known here. */
  async standing(roomIdOrAlias: string, userId: string): Promise<JsonObject | null> {
    const { rooms, state } = this.#parts;
    const room = roomIdOrAlias.startsWith("#")
      ? await this.#ofAlias(roomIdOrAlias)
      : await rooms.find(roomIdOrAlias);
    if (!room || !(await state.event(room, "m.room.create", ""))) return null;
    const level = (await state.powerLevels(room)).userLevel(userId);
    return {
      membership: await state.membership(room, userId),
      power_level: Number.isFinite(level) ? level : "creator",
    };
  }

  async #ofAlias(alias: string): Promise<Room | undefined> {
    const row = await this.#parts.store.alias(alias);
    return row && this.#parts.rooms.byNid(row.roomNid);
  }

  async #needsInvite(room: Room, userId: UserId): Promise<boolean> {
    const { state } = this.#parts;
    const rules = await state.event(room, "m.room.join_rules", "");
    if (!rules || rules.content["join_rule"] === "public") return false;
    const membership = await state.membership(room, userId);
    return membership !== "join" && membership !== "invite";
  }

  /** Who of this server is in the room and may change its power levels: the one with most power. */
  async #mostPowerful(state: DraftState, levels: PowerLevels): Promise<UserId | undefined> {
    const needed = levels.eventLevel(levelsType, true);
    const candidates = (levels.namedUsers as readonly UserId[])
      .filter((userId) => serverNameOf(userId) === this.#parts.serverName)
      .filter((userId) => levels.userLevel(userId) >= needed)
      // Two whose power has no bound have the same.
      .toSorted((a, b) => levels.userLevel(b) - levels.userLevel(a) || 0);
    for (const userId of candidates) if ((await state.membership(userId)) === "join") return userId;
    return undefined;
  }
}

/** The content of power levels in which one user has as much as another. */
function raised(content: JsonObject, levels: PowerLevels, granter: UserId, target: UserId): JsonObject {
  const users = isJsonObject(content["users"]) ? content["users"] : {};
  const level = levels.userLevel(granter);
  // Creators without a bound may not be named. Where there were no levels, the creator had power without being named.
  const granted = Number.isFinite(level)
    ? { [granter]: level, [target]: level }
    : { [target]: administratorLevel };
  return { ...content, users: { ...users, ...granted } };
}

function nobodyMay(): MatrixError {
  return new MatrixError(
    "M_UNKNOWN",
    "Nobody of this server is in the room who may change who has power in it",
  );
}
