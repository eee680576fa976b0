import {
  type RoomEventFilterJson,
  roomEventFilterSchema,
  type SyncFilterJson,
  syncFilterSchema,
} from "../api/client/filtering.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import { CompiledSchema, type Fault } from "../schema/compiled-schema.ts";
import { EventFields } from "./event-fields.ts";
import { EventFilter, Selection } from "./event-filter.ts";

/** A filter for sync made ready (client-server API, "Filtering": `Filter`). */
export class SyncFilter {
  /** `undefined`: whole events. */
  readonly eventFields: EventFields | undefined;
  readonly eventFormat: "client" | "federation";
  readonly presence: EventFilter;
  readonly accountData: EventFilter;
  /** Rooms that the client wants to hear of; each filter below may leave out further ones. */
  readonly rooms: Selection;
  readonly includeLeave: boolean;
  readonly timeline: EventFilter;
  readonly state: EventFilter;
  readonly ephemeral: EventFilter;
  readonly roomAccountData: EventFilter;
  /** Fields of profiles that the client wants to hear of (MSC4429). */
  readonly profileFields: readonly string[];

  constructor(json: SyncFilterJson) {
    const { room = {} } = json;
    this.eventFields = json.event_fields && new EventFields(json.event_fields);
    this.eventFormat = json.event_format ?? "client";
    this.presence = eventFilter(json.presence);
    this.accountData = eventFilter(json.account_data);
    this.rooms = new Selection(room.rooms, room.not_rooms);
    this.includeLeave = room.include_leave ?? false;
    this.timeline = eventFilter(room.timeline);
    this.state = eventFilter(room.state);
    this.ephemeral = eventFilter(room.ephemeral);
    this.roomAccountData = eventFilter(room.account_data);
    this.profileFields = json["org.matrix.msc4429.profile_fields"]?.ids ?? [];
  }
}

/** Lets everything pass. */
export const everyEvent = new EventFilter({});
/** What a client gets that asks for no filter. */
export const everything = new SyncFilter({});

function eventFilter(json: RoomEventFilterJson | undefined): EventFilter {
  return json === undefined ? everyEvent : new EventFilter(json);
}

const syncFilters = new CompiledSchema(syncFilterSchema);
const roomEventFilters = new CompiledSchema(roomEventFilterSchema);

/**
 * Makes a filter for sync out of its JSON text.
 * @throws MatrixError M_NOT_JSON, M_BAD_JSON.
 */
export function parseSyncFilter(text: string): SyncFilter {
  const json = parseJson(text);
  if (syncFilters.accepts(json)) return new SyncFilter(json);
  throw unfit(syncFilters.faultOf(json));
}

/**
 * Makes a filter for a room's events out of its JSON text, as /messages and /context take it.
 * @throws MatrixError M_NOT_JSON, M_BAD_JSON.
 */
export function parseRoomEventFilter(text: string): EventFilter {
  const json = parseJson(text);
  if (roomEventFilters.accepts(json)) return new EventFilter(json);
  throw unfit(roomEventFilters.faultOf(json));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "unreadable";
    throw new MatrixError("M_NOT_JSON", `The filter is not JSON: ${reason.slice(0, 200)}`);
  }
}

function unfit(fault: Fault | undefined): MatrixError {
  return new MatrixError(
    "M_BAD_JSON",
    `The filter's ${fault?.instancePath || "root"} ${fault?.message ?? ""}`,
  );
}
