import { foldCase } from "../glob.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { parsePropertyPath, propertyAt } from "../property-path.ts";
import { WordText } from "./word-text.ts";

/** What push rules ask about the room, as it is when the event arrives. */
export interface RoomForPush {
  /** How many users are joined. */
  readonly memberCount: number;
  /** The power level of the event's sender; infinite for a creator in room versions that say so. */
  readonly senderPowerLevel: number;
  /** The levels that `notifications` of `m.room.power_levels` names. */
  readonly notificationLevels: ReadonlyMap<string, number>;
}

/** The parts of an event that its recipients' rules can look at. A `RoomEvent` is one. */
export interface PushEvent {
  readonly eventId: string;
  readonly roomId: string;
  readonly type: string;
  readonly sender: string;
  /** `undefined` for an event that is not a state event. */
  readonly stateKey: string | undefined;
  readonly content: JsonObject;
  readonly originServerTs: number;
  readonly redacts: string | undefined;
}

/** The path of a property, parsed once for all the events in which it will be looked up. */
export class PropertyKey {
  readonly path: string;
  readonly names: readonly string[];

  constructor(path: string) {
    this.path = path;
    this.names = parsePropertyPath(path);
  }
}

/** A property of an event in the forms in which conditions compare it, each made when first asked for. */
export class EventProperty {
  /** `undefined` when the event lacks the property. */
  readonly value: JsonValue | undefined;
  #folded: string | undefined;
  #words: WordText | undefined;
  #elements: ReadonlySet<JsonValue> | undefined;

  constructor(value: JsonValue | undefined) {
    this.value = value;
  }

  /** The case-folded text, or `undefined` when the property is not a string. */
  get folded(): string | undefined {
    if (typeof this.value !== "string") return undefined;
    this.#folded ??= foldCase(this.value);
    return this.#folded;
  }

  /** The text to look for words in, or `undefined` when the property is not a string. */
  get words(): WordText | undefined {
    if (this.folded === undefined) return undefined;
    this.#words ??= new WordText(this.folded);
    return this.#words;
  }

  /** The elements, or `undefined` when the property is not an array. */
  get elements(): ReadonlySet<JsonValue> | undefined {
    if (!Array.isArray(this.value)) return undefined;
    this.#elements ??= new Set(this.value);
    return this.#elements;
  }
}

/**
 * An event on its way through the push rules of all its recipients: whatever does not depend on the recipient is
 * found out once. Make one for each event and drop it afterwards.
 */
export class EventForPush {
  readonly sender: string;
  readonly roomId: string;
  readonly foldedRoomId: string;
  readonly room: RoomForPush;
  readonly #event: JsonObject;
  readonly #properties = new Map<string, EventProperty>();

  constructor(event: PushEvent, room: RoomForPush) {
    this.sender = event.sender;
    this.roomId = event.roomId;
    this.foldedRoomId = foldCase(event.roomId);
    this.room = room;
    this.#event = clientKeys(event);
  }

  /** Looks a property up. */
  property(key: PropertyKey): EventProperty {
    const known = this.#properties.get(key.path);
    if (known !== undefined) return known;
    const property = new EventProperty(propertyAt(this.#event, key.names));
    this.#properties.set(key.path, property);
    return property;
  }
}

/** The event as clients know it: rules are written by clients and cannot ask for what only servers see. */
function clientKeys(event: PushEvent): JsonObject {
  return {
    type: event.type,
    sender: event.sender,
    room_id: event.roomId,
    event_id: event.eventId,
    origin_server_ts: event.originServerTs,
    content: event.content,
    ...(event.stateKey === undefined ? {} : { state_key: event.stateKey }),
    ...(event.redacts === undefined ? {} : { redacts: event.redacts }),
  };
}
