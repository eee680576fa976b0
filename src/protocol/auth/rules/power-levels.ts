import { isUserId } from "../../identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../json.ts";
import type { RoomVersion } from "../../room-versions.ts";
import type { AuthCheck } from "../auth-check.ts";
import { creatorsOf, levelNames, ownValue, readLevel } from "../power-levels.ts";
import { type AuthRejection, reject } from "../rejection.ts";

/** 10. If type is m.room.power_levels. */
export function authorisePowerLevels(check: AuthCheck): AuthRejection | undefined {
  const { version, event, state } = check;
  const malformed =
    (version.integerPowerLevels ? integersOnly(version, event.content) : undefined) ??
    usersWellFormed(version, event.content) ??
    (version.privilegedCreators ? noCreators(check) : undefined);
  if (malformed !== undefined) return malformed;

  // 10.5. If there is no previous m.room.power_levels event in the room, allow.
  const previous = state.get("m.room.power_levels", "");
  if (previous === undefined) return undefined;

  return (
    levelsWithinReach(check, previous.content) ??
    entriesWithinReach(check, previous.content, "events") ??
    (version.checkNotificationLevels
      ? entriesWithinReach(check, previous.content, "notifications")
      : undefined) ??
    usersWithinReach(check, previous.content)
    // 10.11. Otherwise, allow.
  );
}

function integersOnly(version: RoomVersion, content: JsonObject): AuthRejection | undefined {
  // 10.1. If any of the properties users_default, events_default, state_default, ban, redact, kick, or invite in content
  // are present and not an integer, reject.
  for (const name of levelNames) {
    if (Object.hasOwn(content, name) && !Number.isInteger(content[name])) {
      return reject(version, "power_levels.integers", `The power level ${name} must be an integer.`);
    }
  }
  // 10.2. If either of the properties events or notifications in content are present and not an object with values that
  // are integers, reject.
  for (const name of ["events", "notifications"]) {
    if (!Object.hasOwn(content, name)) continue;
    const map = content[name];
    if (!isJsonObject(map) || !Object.values(map).every(Number.isInteger)) {
      return reject(version, "power_levels.maps", `${name} must be an object of integers.`);
    }
  }
  return undefined;
}

/**
 * 10.3. If the users property in content is not an object with keys that are valid user IDs with values that are
 * integers (until room version 9: or a string that is an integer), reject.
 */
function usersWellFormed(version: RoomVersion, content: JsonObject): AuthRejection | undefined {
  if (!Object.hasOwn(content, "users")) return undefined;
  const users = content["users"];
  if (!isJsonObject(users)) return reject(version, "power_levels.users", "users must be an object.");
  for (const userId of Object.keys(users)) {
    if (!isUserId(userId)) {
      return reject(version, "power_levels.users", "users has a key that is not a user ID.");
    }
    if (readLevel(version, users[userId]) === undefined) {
      return reject(version, "power_levels.users", `The power level of ${userId} must be an integer.`);
    }
  }
  return undefined;
}

/**
 * 10.4. If the users property in content contains the sender of the m.room.create event or any of the
 * additional_creators array from the content of the m.room.create event, reject.
 */
function noCreators({ version, event, create }: AuthCheck): AuthRejection | undefined {
  const users = event.content["users"];
  for (const creator of creatorsOf(version, create)) {
    if (ownValue(users, creator) === undefined) continue;
    return reject(
      version,
      "power_levels.creators",
      `${creator} created the room and cannot have a power level.`,
    );
  }
  return undefined;
}

function levelsWithinReach(check: AuthCheck, previous: JsonObject): AuthRejection | undefined {
  const { version, event, levels } = check;
  const senderLevel = levels.userLevel(event.sender);
  // 10.6. For the properties users_default, events_default, state_default, ban, redact, kick, invite check if they were
  // added, changed or removed. For each found alteration:
  for (const name of levelNames) {
    const change = changeOf(version, previous, event.content, name);
    if (change === undefined) continue;
    // 10.6.1. If the current value is higher than the sender's current power level, reject.
    if (change.current !== undefined && change.current > senderLevel) {
      return reject(version, "power_levels.levels.current", beyond(name, senderLevel));
    }
    // 10.6.2. If the new value is higher than the sender's current power level, reject.
    if (tooHigh(change.next, senderLevel)) {
      return reject(version, "power_levels.levels.new", beyond(name, senderLevel));
    }
  }
  return undefined;
}

function entriesWithinReach(
  check: AuthCheck,
  previous: JsonObject,
  name: "events" | "notifications",
): AuthRejection | undefined {
  const { version, event, levels } = check;
  const senderLevel = levels.userLevel(event.sender);
  const [before, after] = [mapOf(previous[name]), mapOf(event.content[name])];
  for (const key of keysOfBoth(before, after)) {
    const change = changeOf(version, before, after, key);
    if (change === undefined) continue;
    // 10.7. For each entry being changed in, or removed from, the events or notifications properties:
    // 10.7.1. If the current value is greater than the sender's current power level, reject.
    if (change.current !== undefined && change.current > senderLevel) {
      return reject(version, "power_levels.entries_changed.current", beyond(key, senderLevel));
    }
    // 10.8. For each entry being added to, or changed in, the events or notifications properties:
    // 10.8.1. If the new value is greater than the sender's current power level, reject.
    if (tooHigh(change.next, senderLevel)) {
      return reject(version, "power_levels.entries_added.new", beyond(key, senderLevel));
    }
  }
  return undefined;
}

function usersWithinReach(check: AuthCheck, previous: JsonObject): AuthRejection | undefined {
  const { version, event, levels } = check;
  const senderLevel = levels.userLevel(event.sender);
  const [before, after] = [mapOf(previous["users"]), mapOf(event.content["users"])];
  for (const userId of keysOfBoth(before, after)) {
    const change = changeOf(version, before, after, userId);
    if (change === undefined) continue;
    // 10.9. For each entry being changed in, or removed from, the users property, other than the sender's own entry:
    // 10.9.1. If the current value is greater than or equal to the sender's current power level, reject.
    if (userId !== event.sender && change.current !== undefined && change.current >= senderLevel) {
      return reject(version, "power_levels.users_changed.current", beyond(userId, senderLevel));
    }
    // 10.10. For each entry being added to, or changed in, the users property:
    // 10.10.1. If the new value is greater than the sender's current power level, reject.
    if (tooHigh(change.next, senderLevel)) {
      return reject(version, "power_levels.users_added.new", beyond(userId, senderLevel));
    }
  }
  return undefined;
}

interface LevelChange {
  /** `undefined` when the entry is added. */
  readonly current: number | undefined;
  /** `undefined` when the entry is removed. */
  readonly next: number | undefined;
}

/** What an event does to one level, or `undefined` when it leaves it as it is. What is no level at all is NaN. */
function changeOf(
  version: RoomVersion,
  before: JsonObject,
  after: JsonObject,
  key: string,
): LevelChange | undefined {
  const current = levelAt(version, before, key);
  const next = levelAt(version, after, key);
  return Object.is(current, next) ? undefined : { current, next };
}

function levelAt(version: RoomVersion, map: JsonObject, key: string): number | undefined {
  if (!Object.hasOwn(map, key)) return undefined;
  // Adding 0 makes -0 the same as 0.
  return (readLevel(version, map[key]) ?? Number.NaN) + 0;
}

/** Written so that NaN, which older versions' rules do not speak of, is too high: nobody may put it in. */
function tooHigh(next: number | undefined, senderLevel: number): boolean {
  return next !== undefined && !(next <= senderLevel);
}

function mapOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function keysOfBoth(before: JsonObject, after: JsonObject): Iterable<string> {
  return new Set([...Object.keys(before), ...Object.keys(after)]);
}

function beyond(key: string, senderLevel: number): string {
  // Longer ones mean nothing: no event type, user ID or level has such a name.
  const what = key.length > 255 ? "an entry" : key;
  return `Changing the power level of ${what} takes more than the sender's power level, ${senderLevel}.`;
}
