import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { RoomEvent } from "../pdu.ts";
import type { RoomVersion } from "../room-versions.ts";

/** The levels that `m.room.power_levels` names at its top, with what each is when the event does not say. */
const defaults = {
  users_default: 0,
  events_default: 0,
  state_default: 50,
  ban: 50,
  redact: 50,
  kick: 50,
  invite: 0,
} as const;

export type LevelName = keyof typeof defaults;

/** The seven levels at the top of `m.room.power_levels`. */
export const levelNames: readonly LevelName[] = [
  "users_default",
  "events_default",
  "state_default",
  "ban",
  "redact",
  "kick",
  "invite",
];

/**
 * Who may do what in a room: the power levels in force, with the defaults of the room version filled in.
 * Reads the events in place, so that making one costs next to nothing.
 */
export class PowerLevels {
  readonly #version: RoomVersion;
  readonly #content: JsonObject | undefined;
  readonly #creators: ReadonlySet<string>;

  /** Use {@link powerLevelsOf}, which shares one object between all who ask for the same two events. */
  constructor(version: RoomVersion, create: RoomEvent, powerLevels: RoomEvent | undefined) {
    this.#version = version;
    this.#content = powerLevels?.content;
    this.#creators = creatorsOf(version, create);
  }

  /**
   * The power level of a user. Infinite for the creators of a room whose version gives them that; without power levels
   * in the room the creator of an older room has 100 and everyone else 0.
   */
  userLevel(userId: string): number {
    const isCreator = this.#creators.has(userId);
    if (isCreator && this.#version.privilegedCreators) return Number.POSITIVE_INFINITY;
    if (this.#content === undefined) return isCreator ? 100 : defaults.users_default;
    return this.#entry("users", userId) ?? this.#level("users_default");
  }

  /** The users who have a level of their own, creators included; everybody else has the default. */
  get namedUsers(): readonly string[] {
    const users = this.#content?.["users"];
    return [...this.#creators, ...(isJsonObject(users) ? Object.keys(users) : [])];
  }

  /** The level that sending an event of this type takes ("required power level"). */
  eventLevel(type: string, isState: boolean): number {
    return this.#entry("events", type) ?? this.#level(isState ? "state_default" : "events_default");
  }

  /** The level that triggering a notification takes, such as `room` for `@room`. 50 when the room does not say. */
  notificationLevel(key: string): number {
    return this.#entry("notifications", key) ?? 50;
  }

  /** The level that banning a user takes. */
  get ban(): number {
    return this.#level("ban");
  }

  /** The level that removing a user takes. */
  get kick(): number {
    return this.#level("kick");
  }

  /** The level that inviting a user takes. */
  get invite(): number {
    return this.#level("invite");
  }

  /** The level that redacting the event of another user takes. */
  get redact(): number {
    return this.#level("redact");
  }

  #level(name: LevelName): number {
    const level = this.#content === undefined ? undefined : readLevel(this.#version, this.#content[name]);
    return level ?? defaults[name];
  }

  #entry(map: "users" | "events" | "notifications", key: string): number | undefined {
    return readLevel(this.#version, ownValue(this.#content?.[map], key));
  }
}

const shared = new WeakMap<RoomEvent, { version: RoomVersion; create: RoomEvent; levels: PowerLevels }>();

/**
 * The power levels in a room, from its create event and its current `m.room.power_levels` if it has one. The same
 * two objects give the same result object again, for as long as they live; nothing is kept longer.
 */
export function powerLevelsOf(
  version: RoomVersion,
  create: RoomEvent,
  powerLevels: RoomEvent | undefined,
): PowerLevels {
  const key = powerLevels ?? create;
  const known = shared.get(key);
  if (known !== undefined && known.create === create && known.version === version) return known.levels;
  const levels = new PowerLevels(version, create, powerLevels);
  shared.set(key, { version, create, levels });
  return levels;
}

/**
 * The users who count as creators of a room: its create event's sender or, in the versions that have it,
 * `content.creator`; together with `additional_creators` where creators are privileged.
 */
export function creatorsOf(version: RoomVersion, create: RoomEvent): ReadonlySet<string> {
  const creators = new Set<string>();
  const creator = version.creatorIsSender ? create.sender : create.content["creator"];
  if (typeof creator === "string") creators.add(creator);
  const additional = create.content["additional_creators"];
  if (!version.privilegedCreators || !Array.isArray(additional)) return creators;
  for (const userId of additional) if (typeof userId === "string") creators.add(userId);
  return creators;
}

const decimalInteger = /^\s*[+-]?[0-9]+\s*$/;

/**
 * Reads one power level; `undefined` for what is no level in that room version. Until room version 9 a string of one
 * decimal integer counts, and a float counts as its integer part ("Deprecated event content schemas").
 */
export function readLevel(version: RoomVersion, value: JsonValue | undefined): number | undefined {
  if (Number.isInteger(value)) return Number(value);
  if (version.integerPowerLevels) return undefined;
  const level = typeof value === "string" && decimalInteger.test(value) ? Number(value) : value;
  return typeof level === "number" && Number.isFinite(level) ? Math.trunc(level) : undefined;
}

/** The value of a map's own key: the keys of power levels are chosen by users, `constructor` among them. */
export function ownValue(map: JsonValue | undefined, key: string): JsonValue | undefined {
  return isJsonObject(map) && Object.hasOwn(map, key) ? map[key] : undefined;
}
