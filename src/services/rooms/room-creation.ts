import type { AppserviceRegistry } from "../../appservices/registry.ts";
import type { ActingUser } from "../../auth/requester.ts";
import { refuseSuspended } from "../../auth/suspension.ts";
import type { LocalEvent } from "../../ingest/local-event.ts";
import type { RoomWriter } from "../../ingest/room-writer.ts";
import {
  parseRoomAlias,
  parseUserId,
  type RoomAlias,
  type RoomId,
  type ServerName,
  serverNameOf,
  type UserId,
} from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { type RoomVersion, roomVersion, supportedRoomVersions } from "../../protocol/room-versions.ts";
import type { Room } from "../../state/room-index.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { RoomStore } from "../../storage/rooms.ts";
import type { RandomBytes } from "../../telemetry/random.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { RemoteRooms } from "./remote-rooms.ts";
import type { InvitePermission } from "./invite-permission.ts";
import type { MemberProfiles } from "./member-profile.ts";
import { initialPowerLevels, type Preset, type PresetName, presets } from "./presets.ts";

export interface StateRequest {
  readonly type: string;
  readonly stateKey: string;
  readonly content: JsonObject;
}

/** What a new room is to be (client-server API, "createRoom"). */
export interface RoomRequest {
  readonly visibility: "public" | "private";
  readonly preset?: PresetName | undefined;
  readonly version?: string | undefined;
  readonly aliasLocalpart?: string | undefined;
  readonly name?: string | undefined;
  readonly topic?: string | undefined;
  readonly invite: readonly string[];
  /** Why people are invited. */
  readonly inviteReason: string | undefined;
  readonly isDirect: boolean;
  readonly creationContent: JsonObject;
  readonly initialState: readonly StateRequest[];
  readonly powerLevelOverride: JsonObject;
}

export interface RoomCreationParts {
  readonly serverName: ServerName;
  readonly defaultVersion: string;
  readonly writer: RoomWriter;
  readonly rooms: RoomStore;
  readonly names: NameCache;
  readonly profiles: MemberProfiles;
  readonly randomBytes: RandomBytes;
  readonly invites: InvitePermission;
  /** Absent where this server talks with no others. */
  readonly remote: RemoteRooms | undefined;
  readonly log: Logger;
  readonly appservices: Pick<AppserviceRegistry, "checkAlias">;
}

/** A request that makes more events than this is refused as a whole. */
const maxInvited = 100;
const maxInitialState = 200;

/** A request, checked and completed. */
interface Plan {
  readonly request: RoomRequest;
  readonly version: RoomVersion;
  readonly preset: Preset;
  readonly creator: ActingUser;
  readonly invited: readonly UserId[];
  readonly alias: RoomAlias | undefined;
}

/** What the rules of rooms refuse an event with. */
const refusals: ReadonlySet<string> = new Set(["M_FORBIDDEN", "M_INVALID_PARAM"]);

/** Creates rooms: all of a room's first events are committed together, or the room does not come to be. */
export class RoomCreation {
  readonly #parts: RoomCreationParts;

  constructor(parts: RoomCreationParts) {
    this.#parts = parts;
  }

  /**
   * @throws MatrixError M_UNSUPPORTED_ROOM_VERSION, M_ROOM_IN_USE, M_INVALID_ROOM_STATE, M_INVALID_PARAM, M_BAD_JSON,
   *   M_INVITE_BLOCKED, M_USER_SUSPENDED, M_EXCLUSIVE for an alias that is reserved
   */
  async create(creator: ActingUser, request: RoomRequest): Promise<Room> {
    refuseSuspended(creator);
    const plan = await this.#plan(creator, request);
    for (const userId of plan.invited) await this.#parts.invites.check(creator, userId);
    const roomId = plan.version.roomIdIsCreateHash
      ? undefined
      : newRoomId(this.#parts.randomBytes, this.#parts.serverName);
    const events = await this.#firstEvents(plan);
    const listing = {
      isPublic: request.visibility === "public",
      alias: plan.alias && { name: plan.alias, creatorNid: creator.userNid },
    };
    const room = await this.#asRoomState(() =>
      this.#parts.writer.create(plan.version, roomId, events, listing),
    );
    await this.#inviteRemote(plan, room);
    return room;
  }

  /** Users of other servers are invited by way of these, once there is a room. Whom it does not reach can be invited again. */
  async #inviteRemote(plan: Plan, room: Room): Promise<void> {
    const { remote, log } = this.#parts;
    if (!remote) return;
    const remoteUsers = plan.invited.filter((userId) => !this.#isLocal(userId));
    await Promise.all(
      remoteUsers.map(async (userId) => {
        try {
          const { content } = await this.#invite(plan, userId);
          await remote.invite(plan.creator.userId, room, userId, content);
        } catch (err) {
          if (!(err instanceof MatrixError)) throw err;
          log.info({ err, roomId: room.roomId, userId }, "somebody could not be invited to a new room");
        }
      }),
    );
  }

  #isLocal(userId: UserId): boolean {
    return serverNameOf(userId) === this.#parts.serverName;
  }

  async #plan(creator: ActingUser, request: RoomRequest): Promise<Plan> {
    const versionId = request.version ?? this.#parts.defaultVersion;
    const version = roomVersion(versionId);
    if (!version) {
      const known = supportedRoomVersions.join(", ");
      throw new MatrixError(
        "M_UNSUPPORTED_ROOM_VERSION",
        `Room version ${versionId.slice(0, 50)} is not one of ${known}`,
      );
    }
    if (request.invite.length > maxInvited || request.initialState.length > maxInitialState) {
      throw new MatrixError(
        "M_INVALID_PARAM",
        `A new room takes at most ${maxInvited} invites and ${maxInitialState} state events`,
      );
    }
    const alias =
      request.aliasLocalpart === undefined
        ? undefined
        : await this.#freeAlias(creator, request.aliasLocalpart);
    return {
      request,
      version,
      preset: presets[request.preset ?? (request.visibility === "public" ? "public_chat" : "private_chat")],
      creator,
      invited: [...new Set(request.invite.map(invitedUser))].filter((userId) => userId !== creator.userId),
      alias,
    };
  }

  async #freeAlias(creator: ActingUser, localpart: string): Promise<RoomAlias> {
    const alias = parseRoomAlias(`#${localpart}:${this.#parts.serverName}`);
    if (alias === undefined) {
      throw new MatrixError(
        "M_INVALID_PARAM",
        "room_alias_name is not the local part of an alias: it may not hold a colon",
      );
    }
    this.#parts.appservices.checkAlias(alias, creator);
    if (await this.#parts.rooms.alias(alias)) throw new MatrixError("M_ROOM_IN_USE", `${alias} is taken`);
    return alias;
  }

  /** The order is the specification's: what stands later overrides what stands earlier. */
  async #firstEvents(plan: Plan): Promise<LocalEvent[]> {
    const { request, creator, preset, alias } = plan;
    const state = new Map<string, StateRequest>();
    const set = (type: string, content: JsonObject, stateKey = "") => {
      const key = `${type} ${stateKey}`;
      // An override takes the place of what it overrides, but keeps the order in which requests came.
      state.delete(key);
      state.set(key, { type, stateKey, content });
    };
    if (alias !== undefined) set("m.room.canonical_alias", { alias });
    set("m.room.join_rules", { join_rule: preset.joinRule });
    set("m.room.history_visibility", { history_visibility: preset.historyVisibility });
    if (preset.guestAccess === "can_join") set("m.room.guest_access", { guest_access: preset.guestAccess });
    const requested = request.initialState.filter(({ type }) => type !== "m.room.power_levels");
    for (const { type, stateKey, content } of requested) set(type, content, stateKey);
    if (request.name !== undefined) set("m.room.name", { name: request.name });
    if (request.topic !== undefined) set("m.room.topic", topicContent(request.topic));
    const sender = creator.userId;
    const profile = await this.#parts.profiles.memberContent(creator.userNid);
    return [
      { type: "m.room.create", stateKey: "", sender, content: createContent(plan) },
      { type: "m.room.member", stateKey: sender, sender, content: { ...profile, membership: "join" } },
      { type: "m.room.power_levels", stateKey: "", sender, content: powerLevels(plan) },
      ...[...state.values()].map((event): LocalEvent => ({ ...event, sender })),
      ...(await Promise.all(
        plan.invited.filter((userId) => this.#isLocal(userId)).map((userId) => this.#invite(plan, userId)),
      )),
    ];
  }

  async #invite({ creator, request }: Plan, userId: UserId): Promise<LocalEvent> {
    const userNid = await this.#parts.names.internUser(userId);
    const profile = await this.#parts.profiles.memberContent(userNid);
    const isDirect = request.isDirect ? { is_direct: true } : {};
    // MSC4491: "If the field is empty or omitted, no reason is attached."
    const reason = request.inviteReason ? { reason: request.inviteReason } : {};
    const content = { ...profile, ...isDirect, ...reason, membership: "invite" };
    return { type: "m.room.member", stateKey: userId, sender: creator.userId, content };
  }

  /** What the rules refuse in a new room is a fault of the request, not a lack of permission. */
  async #asRoomState(create: () => Promise<Room>): Promise<Room> {
    try {
      return await create();
    } catch (error) {
      const isRefusal = error instanceof MatrixError && refusals.has(error.errcode);
      if (!isRefusal) throw error;
      throw new MatrixError("M_INVALID_ROOM_STATE", error.message);
    }
  }
}

/** A room ID for versions in which the server chooses it. */
export function newRoomId(randomBytes: RandomBytes, serverName: ServerName): RoomId {
  return `!${randomBytes(18).toString("base64url")}:${serverName}` as RoomId;
}

function createContent({ request, version, creator, preset, invited }: Plan): JsonObject {
  const content: JsonObject = { ...request.creationContent, room_version: version.id };
  delete content["creator"];
  if (!version.creatorIsSender) content["creator"] = creator.userId;
  if (version.privilegedCreators && preset.invitedAreTrusted && invited.length > 0) {
    const given = content["additional_creators"];
    content["additional_creators"] = [...new Set([...(Array.isArray(given) ? given : []), ...invited])];
  }
  return content;
}

function powerLevels({ request, version, preset, creator, invited }: Plan): JsonObject {
  const initial = initialPowerLevels(version, preset, creator.userId, invited);
  const requested = request.initialState.find(({ type }) => type === "m.room.power_levels")?.content;
  return { ...(requested ?? initial), ...request.powerLevelOverride };
}

function invitedUser(userId: string): UserId {
  const parsed = parseUserId(userId);
  if (parsed === undefined)
    throw new MatrixError("M_INVALID_PARAM", `${userId.slice(0, 300)} in invite is not a user ID`);
  return parsed;
}

/** Client-server API, "m.room.topic": clients that know rich text find it under `m.topic`. */
function topicContent(topic: string): JsonObject {
  return { topic, "m.topic": { "m.text": [{ body: topic, mimetype: "text/plain" }] } };
}
