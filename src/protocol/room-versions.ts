/**
 * Room versions as frozen records of named rules: each version is the previous one plus its differences.
 * Code asks for a rule, never for a version number. Specification: "Room Versions".
 */
export interface RoomVersion {
  readonly id: string;
  /** `named`: the server chooses the event ID (v1, v2); `hash`: unpadded base64 (v3); `url-safe-hash` (v4 and later). */
  readonly eventIdFormat: "named" | "hash" | "url-safe-hash";
  /** v12: the room ID is the create event's reference hash, and no event lists the create event in `auth_events`. */
  readonly roomIdIsCreateHash: boolean;
  readonly stateResolution: "v1" | "v2" | "v2.1";
  /** v5: a signature counts only while its key was valid at the event's `origin_server_ts`. */
  readonly enforceKeyValidity: boolean;
  /** v6: integers only, within ±(2^53 - 1), `depth` too, which went to 2^63 - 1 before. */
  readonly strictCanonicalJson: boolean;
  /**
   * v1 to v10: servers have measured `type` and `state_key` in code points, so that rooms have events with more than 255
   * bytes there. No state comes of them, but what follows them in the graph counts.
   */
  readonly longKeysInGraph: boolean;
  /** v1 to v5: `m.room.aliases` has its own authorisation rule and its content survives redaction. */
  readonly specialAliases: boolean;
  /**
   * v1 and v2: the auth rules authorise a redaction (by power level, or by the domains of the two event IDs); later it is
   * always allowed by them and checked when it is applied (by power level, or by the domains of the two senders).
   */
  readonly redactionInAuthRules: boolean;
  /** v6: changes to `notifications` in `m.room.power_levels` are checked. */
  readonly checkNotificationLevels: boolean;
  readonly knock: boolean;
  readonly restrictedJoin: boolean;
  readonly knockRestricted: boolean;
  /** v10: power levels are integers; strings are refused. */
  readonly integerPowerLevels: boolean;
  /** v11: the create event's sender is the creator; `content.creator` is ignored. */
  readonly creatorIsSender: boolean;
  /** v12: creators (`additional_creators` too) have infinite power. */
  readonly privilegedCreators: boolean;
  readonly redaction: "v1" | "v6" | "v8" | "v9" | "v11";
  /** v11: `redacts` is in `content`. */
  readonly redactsInContent: boolean;
  /** MSC3757: the state whose key begins with a user's ID is theirs, and of those with more power. */
  readonly ownedState: boolean;
}

const v1: RoomVersion = {
  id: "1",
  eventIdFormat: "named",
  roomIdIsCreateHash: false,
  stateResolution: "v1",
  enforceKeyValidity: false,
  strictCanonicalJson: false,
  longKeysInGraph: true,
  specialAliases: true,
  redactionInAuthRules: true,
  checkNotificationLevels: false,
  knock: false,
  restrictedJoin: false,
  knockRestricted: false,
  integerPowerLevels: false,
  creatorIsSender: false,
  privilegedCreators: false,
  redaction: "v1",
  redactsInContent: false,
  ownedState: false,
};
const v2: RoomVersion = { ...v1, id: "2", stateResolution: "v2" };
const v3: RoomVersion = { ...v2, id: "3", eventIdFormat: "hash", redactionInAuthRules: false };
const v4: RoomVersion = { ...v3, id: "4", eventIdFormat: "url-safe-hash" };
const v5: RoomVersion = { ...v4, id: "5", enforceKeyValidity: true };
const v6: RoomVersion = {
  ...v5,
  id: "6",
  strictCanonicalJson: true,
  specialAliases: false,
  checkNotificationLevels: true,
  redaction: "v6",
};
const v7: RoomVersion = { ...v6, id: "7", knock: true };
const v8: RoomVersion = { ...v7, id: "8", restrictedJoin: true, redaction: "v8" };
const v9: RoomVersion = { ...v8, id: "9", redaction: "v9" };
const v10: RoomVersion = { ...v9, id: "10", knockRestricted: true, integerPowerLevels: true };
const v11: RoomVersion = {
  ...v10,
  id: "11",
  longKeysInGraph: false,
  creatorIsSender: true,
  redaction: "v11",
  redactsInContent: true,
};
const v12: RoomVersion = {
  ...v11,
  id: "12",
  roomIdIsCreateHash: true,
  privilegedCreators: true,
  stateResolution: "v2.1",
};

const stable = [v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12];
const unstable = [
  { ...v10, id: "org.matrix.msc3757.10", longKeysInGraph: false, ownedState: true },
  { ...v11, id: "org.matrix.msc3757.11", ownedState: true },
];

const versions: ReadonlyMap<string, RoomVersion> = new Map(
  [...stable, ...unstable].map((version) => [version.id, Object.freeze(version)]),
);

/** Every room version of the specification that Hearth speaks, oldest first. */
export const supportedRoomVersions: readonly string[] = stable.map(({ id }) => id);

/** Room versions of proposals: who wants one asks for it by its name. */
export const unstableRoomVersions: readonly string[] = unstable.map(({ id }) => id);

/** The rules of a room version, or `undefined` for one that Hearth does not know. */
export function roomVersion(id: string): RoomVersion | undefined {
  return versions.get(id);
}
