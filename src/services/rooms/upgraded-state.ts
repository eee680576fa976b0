import { creatorsOf, ownValue, readLevel } from "../../protocol/auth/power-levels.ts";
import type { UserId } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import type { RoomVersion } from "../../protocol/room-versions.ts";

/** A room that is to be replaced, as far as it counts for the power levels of its replacement. */
export interface OldRoom {
  readonly version: RoomVersion;
  readonly create: RoomEvent;
  readonly powerLevels: JsonObject | undefined;
}

export interface NewRoom {
  readonly version: RoomVersion;
  /** The user who upgrades first. */
  readonly creators: readonly [UserId, ...UserId[]];
}

/** Power levels for the first events of a new room, and those that it is to end up with where they differ. */
export interface UpgradedPowerLevels {
  readonly initial: JsonObject;
  readonly final: JsonObject | undefined;
}

const tombstone = "m.room.tombstone";
/** Where creators have a power of their own, nobody else may replace the room. */
const creatorsOnlyLevel = 150;
const administratorLevel = 100;
const defaultStateLevel = 50;
/** What the old room's sends and invites take at least once it is replaced ("Room upgrades", step 6). */
const closedLevel = 50;

/** The old room's power levels in the terms of the new room's version. */
export function upgradedPowerLevels(from: OldRoom, to: NewRoom): UpgradedPowerLevels {
  const content = translated(from);
  const users = levelMap(content["users"]);
  const events = levelMap(content["events"]);
  const oldCreators = creatorsOf(from.version, from.create);
  if (to.version.privilegedCreators) {
    // Power levels may not name creators.
    for (const creator of to.creators) users.delete(creator);
    if (!from.version.privilegedCreators) {
      events.set(tombstone, Math.max(creatorsOnlyLevel, events.get(tombstone) ?? 0));
    }
    return { initial: withMaps(content, users, events), final: undefined };
  }
  if (from.version.privilegedCreators || from.powerLevels === undefined) {
    for (const creator of oldCreators) users.set(creator, administratorLevel);
    const level = events.get(tombstone);
    if (level !== undefined) events.set(tombstone, Math.min(level, administratorLevel));
  }
  const final = withMaps(content, users, events);
  const [upgrader] = to.creators;
  const needed = highestNeeded(content, events);
  if ((users.get(upgrader) ?? levelOf(content, "users_default", 0)) >= needed) {
    return { initial: final, final: undefined };
  }
  users.set(upgrader, needed);
  return { initial: withMaps(content, users, events), final };
}

/**
 * The power levels of a room that has been replaced: messages and invites take more than most members have. `undefined`
 * when they do already.
 */
export function closedPowerLevels(version: RoomVersion, content: JsonObject): JsonObject | undefined {
  const level = (name: string, fallback: number) => readLevel(version, content[name]) ?? fallback;
  const closed = Math.max(closedLevel, level("users_default", 0) + 1);
  const messages = Math.max(level("events_default", 0), closed);
  const invites = Math.max(level("invite", 0), closed);
  if (messages === level("events_default", 0) && invites === level("invite", 0)) return undefined;
  return { ...content, events_default: messages, invite: invites };
}

/** Join rules that the new room's version knows; a rule that it does not know is the strictest. */
export function upgradedJoinRules(version: RoomVersion, content: JsonObject): JsonObject {
  const rule = content["join_rule"];
  if (rule === "knock" && !version.knock) return { join_rule: "invite" };
  if (rule === "restricted" && !version.restrictedJoin) return { join_rule: "invite" };
  if (rule !== "knock_restricted" || version.knockRestricted) return content;
  if (version.restrictedJoin) return { ...content, join_rule: "restricted" };
  return { join_rule: version.knock ? "knock" : "invite" };
}

/** Levels as integers, which every version takes; what is no level is left away. */
function translated({ version, powerLevels = {} }: OldRoom): JsonObject {
  const isMap = (name: string) => name === "users" || name === "events" || name === "notifications";
  return Object.fromEntries(
    Object.entries(powerLevels).flatMap(([name, value]): [string, JsonValue][] => {
      if (isMap(name) && isJsonObject(value)) return [[name, Object.fromEntries(readLevels(version, value))]];
      const level = readLevel(version, value);
      return level === undefined ? [] : [[name, level]];
    }),
  );
}

function readLevels(version: RoomVersion, map: JsonObject): [string, number][] {
  return Object.keys(map).flatMap((key): [string, number][] => {
    const level = readLevel(version, ownValue(map, key));
    return level === undefined ? [] : [[key, level]];
  });
}

function levelMap(value: JsonValue | undefined): Map<string, number> {
  const entries = Object.entries(isJsonObject(value) ? value : {});
  return new Map(entries.map(([key, level]) => [key, Number(level)]));
}

function withMaps(content: JsonObject, users: Map<string, number>, events: Map<string, number>): JsonObject {
  return { ...content, users: Object.fromEntries(users), events: Object.fromEntries(events) };
}

function levelOf(content: JsonObject, name: string, fallback: number): number {
  return typeof content[name] === "number" ? content[name] : fallback;
}

/** What it takes to send any of the state, to ban, and to set the power levels in the end. */
function highestNeeded(content: JsonObject, events: ReadonlyMap<string, number>): number {
  return Math.max(
    levelOf(content, "state_default", defaultStateLevel),
    levelOf(content, "ban", defaultStateLevel),
    ...events.values(),
  );
}
