import type { EventId, RoomId, UserId } from "../../identifiers.ts";
import type { JsonObject } from "../../json.ts";
import type { Pdu, RoomEvent } from "../../pdu.ts";
import {
  type RoomVersion,
  roomVersion,
  supportedRoomVersions,
  unstableRoomVersions,
} from "../../room-versions.ts";

/** What a test says of an event; the rest is filled in. */
export interface Draft {
  readonly type: string;
  /** A localpart on `example.org`, or a whole user ID. */
  readonly sender: string;
  /** A state key; a localpart is not expanded. Absent for message events. */
  readonly key?: string | undefined;
  readonly content?: JsonObject;
  /** Without the sigil. Counted up when absent. */
  readonly id?: string;
  readonly ts?: number;
  readonly depth?: number;
  readonly prev?: readonly EventId[];
  readonly auth?: readonly EventId[];
  readonly redacts?: string;
  readonly roomId?: string | undefined;
  readonly signatures?: Pdu["signatures"] | undefined;
}

let counter = 0;

/** An event with a made-up ID and without a hash, which is all that the rules and state resolution need. */
export function testEvent(version: RoomVersion, draft: Draft): RoomEvent {
  counter += 1;
  const id = `$${draft.id ?? `event${String(counter).padStart(6, "0")}`}`;
  const eventId = (
    version.eventIdFormat === "named" && !id.includes(":") ? `${id}:example.org` : id
  ) as EventId;
  const roomId = (draft.roomId ?? defaultRoomId(version)) as RoomId;
  const content = draft.content ?? {};
  const namesRoom =
    !(version.roomIdIsCreateHash && draft.type === "m.room.create") || draft.roomId !== undefined;
  return {
    eventId,
    roomId,
    type: draft.type,
    sender: user(draft.sender),
    stateKey: draft.key,
    content,
    originServerTs: draft.ts ?? counter,
    depth: draft.depth ?? counter,
    prevEventIds: draft.prev ?? (draft.type === "m.room.create" ? [] : ["$previous" as EventId]),
    authEventIds: draft.auth ?? [],
    redacts: draft.redacts,
    pdu: {
      ...(namesRoom ? { room_id: roomId } : undefined),
      type: draft.type,
      sender: user(draft.sender),
      ...(draft.key === undefined ? undefined : { state_key: draft.key }),
      content,
      origin_server_ts: draft.ts ?? counter,
      depth: draft.depth ?? counter,
      prev_events: [...(draft.prev ?? [])],
      auth_events: [...(draft.auth ?? [])],
      hashes: { sha256: "" },
      signatures: draft.signatures ?? {},
    },
  };
}

/** The ID of the test rooms: where it is the create event's hash, that of the create event `$create`. */
function defaultRoomId(version: RoomVersion): string {
  return version.roomIdIsCreateHash ? "!create" : "!room:example.org";
}

/** The user ID of a localpart on `example.org`; a whole user ID stays as it is. */
export function user(name: string): UserId {
  return (name.startsWith("@") ? name : `@${name}:example.org`) as UserId;
}

/** A room version that there is. */
export function versionNamed(id: string): RoomVersion {
  const version = roomVersion(id);
  if (version === undefined) throw new Error(`There is no room version ${id}.`);
  return version;
}

/** All room versions, oldest first, then those of proposals. */
export const allVersions: readonly RoomVersion[] = [...supportedRoomVersions, ...unstableRoomVersions].map(
  versionNamed,
);
