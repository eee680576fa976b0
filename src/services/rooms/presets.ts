import type { JsonObject } from "../../protocol/json.ts";
import type { UserId } from "../../protocol/identifiers.ts";
import type { RoomVersion } from "../../protocol/room-versions.ts";

export type PresetName = "private_chat" | "trusted_private_chat" | "public_chat";

/** What a preset stands for (client-server API, "createRoom"). */
export interface Preset {
  readonly joinRule: "invite" | "public";
  readonly historyVisibility: "shared";
  readonly guestAccess: "can_join" | "forbidden";
  /** Invited users get the power of the creator. */
  readonly invitedAreTrusted: boolean;
  readonly inviteLevel: number;
}

export const presets: Readonly<Record<PresetName, Preset>> = {
  private_chat: {
    joinRule: "invite",
    historyVisibility: "shared",
    guestAccess: "can_join",
    invitedAreTrusted: false,
    inviteLevel: 0,
  },
  trusted_private_chat: {
    joinRule: "invite",
    historyVisibility: "shared",
    guestAccess: "can_join",
    invitedAreTrusted: true,
    inviteLevel: 0,
  },
  public_chat: {
    joinRule: "public",
    historyVisibility: "shared",
    guestAccess: "forbidden",
    invitedAreTrusted: false,
    inviteLevel: 50,
  },
};

/** The power levels of a new room, before what its creator wants otherwise. */
export function initialPowerLevels(
  version: RoomVersion,
  preset: Preset,
  creator: UserId,
  invited: readonly UserId[],
): JsonObject {
  const powerful = preset.invitedAreTrusted ? [creator, ...invited] : [creator];
  return {
    // Where creators have infinite power, the power levels may not name them.
    users: version.privilegedCreators ? {} : Object.fromEntries(powerful.map((userId) => [userId, 100])),
    users_default: 0,
    events: {
      "m.room.name": 50,
      "m.room.avatar": 50,
      "m.room.canonical_alias": 50,
      "m.room.power_levels": 100,
      "m.room.history_visibility": 100,
      "m.room.encryption": 100,
      "m.room.server_acl": 100,
      // Replacing a room takes its creator's consent, where that has a power of its own.
      "m.room.tombstone": version.privilegedCreators ? 150 : 100,
    },
    events_default: 0,
    state_default: 50,
    ban: 50,
    kick: 50,
    redact: 50,
    invite: preset.inviteLevel,
    historical: 100,
  };
}
