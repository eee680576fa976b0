import type { ExactNumber } from "./exact-number.ts";
import type { EventId, RoomId, UserId } from "./identifiers.ts";
import type { JsonObject } from "./json.ts";

/** A reference to another event in room versions 1 and 2: its ID and its reference hash. */
export type HashedEventReference = [eventId: string, hashes: { sha256: string }];

/**
 * A persistent data unit as it travels between servers (server-server API, "PDUs").
 * Keys that no room version names are kept: they are covered by the event's hash.
 */
export interface Pdu {
  [key: string]: unknown;
  /** Only in room versions 1 and 2; later versions derive it from the reference hash. */
  event_id?: string;
  /** Absent from the create event of room version 12 and later, whose hash is the room's ID. */
  room_id?: string;
  type: string;
  sender: string;
  state_key?: string;
  content: JsonObject;
  /** Milliseconds since the epoch, as the sending server claims. */
  origin_server_ts: number | ExactNumber;
  /** Beyond 2^53 - 1 (room versions 1 to 5 only) it is kept as text; {@link RoomEvent} has it as a number. */
  depth: number | ExactNumber;
  prev_events: string[] | HashedEventReference[];
  auth_events: string[] | HashedEventReference[];
  hashes: { sha256: string };
  signatures: Record<string, Record<string, string>>;
  /** The redacted event, at the top level until room version 10 and in `content` from 11 on. */
  redacts?: string;
  unsigned?: JsonObject;
}

/** An event as the core works on it: what differs between the event formats is made uniform. */
export interface RoomEvent {
  readonly eventId: EventId;
  readonly roomId: RoomId;
  readonly type: string;
  readonly sender: UserId;
  /** `undefined` for an event that is not a state event. */
  readonly stateKey: string | undefined;
  /** Numbers in it are plain numbers, also where the PDU's content has them as text (room versions 1 to 5). */
  readonly content: JsonObject;
  readonly originServerTs: number;
  readonly depth: number;
  readonly prevEventIds: readonly EventId[];
  readonly authEventIds: readonly EventId[];
  /** The event that this one redacts, wherever the room version puts it. */
  readonly redacts: string | undefined;
  readonly pdu: Pdu;
}
