import type { AliasChanges } from "../../appservices/alias-changes.ts";
import type { Requester } from "../../auth/requester.ts";
import { refuseSuspended } from "../../auth/suspension.ts";
import type { LocalEvent } from "../../ingest/local-event.ts";
import type { RoomWriter } from "../../ingest/room-writer.ts";
import { parseUserId, type ServerName, type UserId } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import { type RoomVersion, roomVersion, supportedRoomVersions } from "../../protocol/room-versions.ts";
import type { CurrentState } from "../../state/current-state.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { Room } from "../../state/room-index.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { RoomSummaryStore } from "../../storage/room-summaries.ts";
import type { RoomStore } from "../../storage/rooms.ts";
import type { RandomBytes } from "../../telemetry/random.ts";
import type { MemberProfiles } from "./member-profile.ts";
import type { RoomAccess } from "./room-access.ts";
import type { RoomSuccession } from "./room-succession.ts";
import { newRoomId } from "./room-creation.ts";
import {
  closedPowerLevels,
  type UpgradedPowerLevels,
  upgradedJoinRules,
  upgradedPowerLevels,
} from "./upgraded-state.ts";

export interface UpgradeRequest {
  readonly roomId: string;
  readonly version: string;
  /** Creators beside the user who upgrades, where the version has them. */
  readonly additionalCreators: readonly string[];
}

export interface RoomUpgradeParts {
  readonly serverName: ServerName;
  readonly writer: RoomWriter;
  readonly access: RoomAccess;
  readonly state: CurrentState;
  readonly events: EventReader;
  readonly rooms: RoomStore;
  readonly summaries: RoomSummaryStore;
  readonly memberships: MembershipStore;
  readonly profiles: MemberProfiles;
  readonly succession: RoomSuccession;
  readonly randomBytes: RandomBytes;
  readonly aliasChanges: Pick<AliasChanges, "changed">;
}

/** An upgrade, checked. */
interface Plan {
  readonly requester: Requester;
  readonly room: Room;
  readonly version: RoomVersion;
  readonly creators: readonly [UserId, ...UserId[]];
}

/** State that a new room has as the old one had it, beside what is treated apart. */
const copiedTypes = [
  "m.room.history_visibility",
  "m.room.guest_access",
  "m.room.server_acl",
  "m.room.encryption",
  "m.room.name",
  "m.room.avatar",
  "m.room.topic",
] as const;
const maxCreators = 50;
const maxCopiedChildren = 1_000;
const maxCopiedBans = 10_000;
/** Bans in one write: between them others have their turn. */
const bansAtOnce = 50;

/** Replaces rooms by rooms of another version (client-server API, "Room upgrades"). */
export class RoomUpgrade {
  readonly #parts: RoomUpgradeParts;
  /** A request that is repeated while it is worked on makes no second room. */
  readonly #underWay = new Map<string, Promise<Room>>();

  constructor(parts: RoomUpgradeParts) {
    this.#parts = parts;
  }

  /**
   * @returns the new room, once the old one points to it
   * @throws MatrixError M_UNSUPPORTED_ROOM_VERSION, M_FORBIDDEN, M_INVALID_PARAM, M_USER_SUSPENDED
   */
  async upgrade(requester: Requester, request: UpgradeRequest): Promise<Room> {
    refuseSuspended(requester);
    const plan = await this.#plan(requester, request);
    const key = JSON.stringify([plan.room.roomNid, plan.version.id, plan.creators]);
    const underWay = this.#underWay.get(key);
    if (underWay) return underWay;
    const replacing = this.#replace(plan).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, replacing);
    return replacing;
  }

  async #plan(requester: Requester, request: UpgradeRequest): Promise<Plan> {
    const version = roomVersion(request.version);
    if (!version) {
      throw new MatrixError(
        "M_UNSUPPORTED_ROOM_VERSION",
        `Room version ${request.version.slice(0, 50)} is not one of ${supportedRoomVersions.join(", ")}`,
      );
    }
    const room = await this.#parts.access.joinedRoom(request.roomId, requester);
    const levels = await this.#parts.state.powerLevels(room);
    const needed = levels.eventLevel("m.room.tombstone", true);
    if (levels.userLevel(requester.userId) < needed) {
      throw new MatrixError("M_FORBIDDEN", `Replacing this room takes power level ${needed}`);
    }
    const others = version.privilegedCreators ? creatorsFrom(request.additionalCreators) : [];
    const creators = [...new Set([requester.userId, ...others])] as [UserId, ...UserId[]];
    return { requester, room, version, creators };
  }

  /** The old room is left as it is until the new one is complete. */
  async #replace(plan: Plan): Promise<Room> {
    const { writer, rooms, aliasChanges } = this.#parts;
    const { room, version } = plan;
    const { sender, powerLevels, events } = await this.#firstEvents(plan);
    const roomId = version.roomIdIsCreateHash
      ? undefined
      : newRoomId(this.#parts.randomBytes, this.#parts.serverName);
    const replacement = await writer.create(version, roomId, events);
    await this.#copyBans(plan, replacement);
    if (powerLevels.final) {
      await writer.sendOne(replacement, stateEvent(sender, "m.room.power_levels", powerLevels.final));
    }
    await writer.send(room, await this.#lastEvents(plan, replacement));
    await rooms.moveNames(room.roomNid, replacement.roomNid);
    for (const { roomNid } of [room, replacement]) aliasChanges.changed(roomNid);
    await this.#parts.succession.joined(plan.requester, replacement);
    return replacement;
  }

  async #firstEvents(
    plan: Plan,
  ): Promise<{ sender: UserId; powerLevels: UpgradedPowerLevels; events: LocalEvent[] }> {
    const { state, profiles } = this.#parts;
    const { room, version, creators, requester } = plan;
    const sender = requester.userId;
    const create = await state.event(room, "m.room.create", "");
    if (!create) throw new Error(`room ${room.roomId} has no create event`);
    const old = await state.event(room, "m.room.power_levels", "");
    const powerLevels = upgradedPowerLevels(
      { version: room.version, create, powerLevels: old?.content },
      { version, creators },
    );
    const profile = await profiles.memberContent(requester.userNid);
    const member = { ...profile, membership: "join" };
    const events = [
      stateEvent(sender, "m.room.create", await this.#createContent(plan, create)),
      stateEvent(sender, "m.room.member", member, sender),
      stateEvent(sender, "m.room.power_levels", powerLevels.initial),
      ...(await this.#copiedState(plan)),
    ];
    return { sender, powerLevels, events };
  }

  async #createContent({ room, version, creators }: Plan, create: RoomEvent): Promise<JsonObject> {
    const [creator, ...others] = creators;
    const last = version.roomIdIsCreateHash ? undefined : await this.#lastEvent(room);
    const predecessor = { room_id: room.roomId, ...(last && { event_id: last.eventId }) };
    const { type, "m.federate": federate } = create.content;
    return {
      room_version: version.id,
      predecessor,
      ...(type !== undefined && { type }),
      ...(federate !== undefined && { "m.federate": federate }),
      ...(!version.creatorIsSender && { creator }),
      ...(others.length > 0 && { additional_creators: others }),
    };
  }

  /** Room version 12 has it no more: the tombstone, which it was meant for, comes after the create event that it names. */
  async #lastEvent({ roomNid }: Room): Promise<{ readonly eventId: string } | undefined> {
    const extremities = await this.#parts.rooms.extremities(roomNid);
    const [last] = extremities.toSorted((a, b) => b.depth - a.depth);
    return last;
  }

  async #copiedState({ room, version, requester }: Plan): Promise<LocalEvent[]> {
    const { state, events, summaries } = this.#parts;
    const sender = requester.userId;
    const copies: LocalEvent[] = [];
    const rules = await state.event(room, "m.room.join_rules", "");
    if (rules)
      copies.push(stateEvent(sender, "m.room.join_rules", upgradedJoinRules(version, rules.content)));
    for (const type of copiedTypes) {
      const event = await state.event(room, type, "");
      if (event) copies.push(stateEvent(sender, type, event.content));
    }
    const { moved } = await this.#mainAliases(room);
    if (moved) copies.push(stateEvent(sender, "m.room.canonical_alias", moved));
    const children = await summaries.childEventNids(room.roomNid, maxCopiedChildren);
    for (const { content, stateKey } of await events.roomEvents(children)) {
      copies.push(stateEvent(sender, "m.space.child", content, stateKey));
    }
    return copies;
  }

  /** The room's main aliases: those of this server go with it, those of others stay where they are. */
  async #mainAliases(room: Room): Promise<{ moved?: JsonObject; left?: JsonObject }> {
    const { state, rooms } = this.#parts;
    const event = await state.event(room, "m.room.canonical_alias", "");
    if (!event) return {};
    const own = new Set((await rooms.aliasesOf(room.roomNid)).map(({ alias }) => alias));
    const part = (isPart: (alias: string) => boolean): JsonObject => {
      const { alias, alt_aliases: alternatives } = event.content;
      const isIn = (value: unknown) => typeof value === "string" && isPart(value);
      return {
        ...(alias !== undefined && isIn(alias) && { alias }),
        ...(Array.isArray(alternatives) && { alt_aliases: alternatives.filter(isIn) }),
      };
    };
    return { moved: part((alias) => own.has(alias)), left: part((alias) => !own.has(alias)) };
  }

  async #copyBans({ room, requester }: Plan, replacement: Room): Promise<void> {
    const { memberships, events, writer } = this.#parts;
    const banned = await memberships.membersOf(room.roomNid, ["ban"], maxCopiedBans);
    for (let start = 0; start < banned.length; start += bansAtOnce) {
      const nids = banned.slice(start, start + bansAtOnce).map(({ eventNid }) => eventNid);
      const bans = (await events.roomEvents(nids)).map(({ content, stateKey }) =>
        stateEvent(requester.userId, "m.room.member", content, stateKey),
      );
      await writer.send(replacement, bans);
    }
  }

  /** What the old room gets: the way to the new one, and the rest as far as the user may do it. */
  async #lastEvents({ room, requester }: Plan, replacement: Room): Promise<LocalEvent[]> {
    const { state } = this.#parts;
    const sender = requester.userId;
    const levels = await state.powerLevels(room);
    const own = levels.userLevel(sender);
    const maySet = (type: string) => own >= levels.eventLevel(type, true);
    const body = "This room has been replaced";
    const last = [stateEvent(sender, "m.room.tombstone", { body, replacement_room: replacement.roomId })];
    const { left } = await this.#mainAliases(room);
    if (left && maySet("m.room.canonical_alias")) {
      last.push(stateEvent(sender, "m.room.canonical_alias", left));
    }
    const current = await state.event(room, "m.room.power_levels", "");
    const closed = current && closedPowerLevels(room.version, current.content);
    if (closed && maySet("m.room.power_levels") && own >= highestOf(closed)) {
      last.push(stateEvent(sender, "m.room.power_levels", closed));
    }
    return last;
  }
}

/** Nobody may set a level above their own. */
function highestOf({ events_default: messages, invite }: JsonObject): number {
  return Math.max(Number(messages), Number(invite));
}

function stateEvent(sender: UserId, type: string, content: JsonObject, stateKey = ""): LocalEvent {
  return { type, stateKey, sender, content };
}

function creatorsFrom(texts: readonly string[]): UserId[] {
  if (texts.length > maxCreators) {
    throw new MatrixError("M_INVALID_PARAM", `additional_creators has more than ${maxCreators} entries`);
  }
  return texts.map((text) => {
    const userId = parseUserId(text);
    if (userId) return userId;
    throw new MatrixError("M_INVALID_PARAM", `${text.slice(0, 300)} in additional_creators is not a user ID`);
  });
}
