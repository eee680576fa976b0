import { authEventTypesFor } from "../protocol/auth/auth-event-types.ts";
import type { AuthState } from "../protocol/auth/auth-state.ts";
import { authorise } from "../protocol/auth/authorise.ts";
import type { AuthRule } from "../protocol/auth/rule-outline.ts";
import { authoriseAuthoriserSignature } from "../protocol/auth/rules/authoriser-signature.ts";
import type { AuthRejection } from "../protocol/auth/rejection.ts";
import { ProtocolError } from "../protocol/errors.ts";
import {
  type BuiltEvent,
  buildEvent,
  eventReferences,
  type EventTemplate,
  eventTemplateJson,
} from "../protocol/event-builder.ts";
import type { SigningKey } from "../protocol/ed25519.ts";
import { maxPrevEvents } from "../protocol/event-format.ts";
import type { EventId, RoomId, ServerName, UserId } from "../protocol/identifiers.ts";
import type { JsonObject } from "../protocol/json.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { Pdu, RoomEvent } from "../protocol/pdu.ts";
import { toRoomEvent } from "../protocol/room-event.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { RandomBytes } from "../telemetry/random.ts";
import { DraftState } from "./draft-state.ts";
import type { Extremity, HeadDraft } from "./room-head.ts";

/** An event that a user of this server wants to send. */
export interface LocalEvent {
  readonly type: string;
  /** Set for a state event. */
  readonly stateKey?: string | undefined;
  readonly sender: UserId;
  readonly content: JsonObject;
  readonly redacts?: EventId | undefined;
  /** Milliseconds since the epoch; now unless an application service says otherwise. */
  readonly originServerTs?: number | undefined;
  /** Makes a repeated request get the same event. */
  readonly transaction?: LocalTransaction | undefined;
  /** For how long the event is sticky (MSC4354). */
  readonly stickyDurationMs?: number | undefined;
  /** The delayed event that this one has been so far: storing the one ends the other. */
  readonly delayId?: string | undefined;
  /** It is for the graph only: nobody sees it, and other servers get it when something that follows it makes them ask. */
  readonly isUnseen?: boolean | undefined;
}

/** A request that may be repeated; see `SendTransaction`. */
export interface LocalTransaction {
  readonly deviceId: string;
  readonly id: string;
  /** The event that the request's path names beside room and type, if it does. */
  readonly targetId?: string | undefined;
}

/** Rules on what an event says, whoever sends it: no permission would let it through. */
const contentRules: ReadonlySet<AuthRule> = new Set([
  "create.additional_creators",
  "power_levels.integers",
  "power_levels.maps",
  "power_levels.users",
  "power_levels.creators",
]);

const maxDepth = Number.MAX_SAFE_INTEGER;

/** A built event with the integer IDs that go with it. */
export interface PlacedEvent {
  readonly built: BuiltEvent;
  readonly prevNids: readonly number[];
  readonly authNids: readonly number[];
}

/** Makes signed events out of what users want to send, as far as the room's rules allow it. */
export class LocalEventMaker {
  readonly #serverName: ServerName;
  readonly #key: SigningKey;
  readonly #events: EventReader;
  readonly #names: NameCache;
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;
  #lastCreationTs = 0;

  constructor(parts: {
    serverName: ServerName;
    key: SigningKey;
    events: EventReader;
    names: NameCache;
    clock: Clock;
    randomBytes: RandomBytes;
  }) {
    this.#serverName = parts.serverName;
    this.#key = parts.key;
    this.#events = parts.events;
    this.#names = parts.names;
    this.#clock = parts.clock;
    this.#randomBytes = parts.randomBytes;
  }

  /**
   * Builds, authorises and signs an event on top of a head.
   * @param roomId absent for the create event of a room whose ID that event makes
   * @throws MatrixError M_FORBIDDEN, M_INVALID_PARAM for what no permission would allow, M_BAD_JSON, M_TOO_LARGE
   */
  async make(local: LocalEvent, draft: HeadDraft, roomId: RoomId | undefined): Promise<PlacedEvent> {
    const { version } = draft.room;
    const auth = await this.#authEvents(local, draft);
    const prev = chosenPrevEvents(draft.extremities);
    const template = await this.#template(local, draft, roomId, auth, prev);
    const built = this.#build(() => buildEvent(version, template, this.#serverName, this.#key));
    refuse(
      authorise(version, built.event, auth.authState) ?? authoriseAuthoriserSignature(version, built.event),
    );
    return {
      built,
      prevNids: prev.map(({ eventNid }) => eventNid),
      authNids: auth.listed.map(({ nid }) => nid),
    };
  }

  /**
   * What a user of another server has to sign to do something on top of a head.
   * @throws MatrixError as `make` does
   */
  async template(local: LocalEvent, draft: HeadDraft, roomId: RoomId): Promise<JsonObject> {
    const { version } = draft.room;
    const auth = await this.#authEvents(local, draft);
    const prev = chosenPrevEvents(draft.extremities);
    const template = eventTemplateJson(version, await this.#template(local, draft, roomId, auth, prev));
    // Nothing that the rules ask about is missing from it.
    const event = toRoomEvent(version, { ...template, hashes: { sha256: "" }, signatures: {} } as Pdu);
    refuse(authorise(version, event, auth.authState));
    return template;
  }

  async #template(
    local: LocalEvent,
    { room: { version } }: HeadDraft,
    roomId: RoomId | undefined,
    auth: { readonly listed: readonly { readonly event: RoomEvent }[] },
    prev: readonly Extremity[],
  ): Promise<EventTemplate> {
    const named = version.eventIdFormat === "named";
    const prevReferences = named
      ? eventReferences(version, await this.#events.roomEvents(prev.map(({ eventNid }) => eventNid)))
      : prev.map(({ eventId }) => eventId);
    const authRoomEvents = auth.listed.map(({ event }) => event);
    return {
      ...(roomId === undefined ? undefined : { roomId }),
      type: local.type,
      stateKey: local.stateKey,
      sender: local.sender,
      content: local.content,
      redacts: local.redacts,
      stickyDurationMs: local.stickyDurationMs,
      depth: Math.min(maxDepth, 1 + prev.reduce((depth, extremity) => Math.max(depth, extremity.depth), 0)),
      prevEvents: prevReferences,
      authEvents: eventReferences(version, authRoomEvents),
      originServerTs: local.originServerTs ?? this.#timeOf(local),
      eventId: named ? this.#newEventId() : undefined,
    };
  }

  /** The state that an event is judged by, and those of its events that it lists as `auth_events`. */
  async #authEvents(local: LocalEvent, draft: HeadDraft) {
    const { version } = draft.room;
    const state = new Map<string, RoomEvent>();
    const listed: { nid: number; event: RoomEvent }[] = [];
    const pairs = authEventTypesFor(version, { ...local, stateKey: local.stateKey });
    const before = new DraftState(draft, this.#names, this.#events);
    for (const [type, stateKey] of pairs) {
      const found = await before.entry(type, stateKey);
      if (!found) continue;
      listed.push(found);
      state.set(`${type} ${stateKey}`, found.event);
    }
    if (!state.has("m.room.create ")) {
      const create = await before.event("m.room.create", "");
      if (create) state.set("m.room.create ", create);
    }
    const authState: AuthState = { get: (type, key) => state.get(`${type} ${key}`) };
    return { authState, listed };
  }

  /** Two create events of one user at one time would be one event, and from room version 12 on one room. */
  #timeOf({ type }: LocalEvent): number {
    const nowMs = this.#clock.nowMs();
    if (type !== "m.room.create") return nowMs;
    this.#lastCreationTs = Math.max(nowMs, this.#lastCreationTs + 1);
    return this.#lastCreationTs;
  }

  #build(build: () => BuiltEvent): BuiltEvent {
    try {
      return build();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      throw new MatrixError(error.reason === "too-large" ? "M_TOO_LARGE" : "M_BAD_JSON", error.message);
    }
  }

  #newEventId(): EventId {
    return `$${this.#randomBytes(18).toString("base64url")}:${this.#serverName}` as EventId;
  }
}

/**
 * What an event follows in a room that has forked: everything, or as much as an event may name. Of more than that it is
 * the newest, so that what was just said comes before the answer, and the oldest, so that none is left over for ever.
 * What servers say about depth has no say in it.
 * @param extremities in the order in which they came
 */
function chosenPrevEvents(extremities: readonly Extremity[]): readonly Extremity[] {
  if (extremities.length <= maxPrevEvents) return extremities;
  const half = maxPrevEvents / 2;
  return [...extremities.slice(0, half), ...extremities.slice(-half)];
}

/** @throws MatrixError for a rejection */
function refuse(rejection: AuthRejection | undefined): void {
  if (!rejection) return;
  throw new MatrixError(
    contentRules.has(rejection.rule) ? "M_INVALID_PARAM" : "M_FORBIDDEN",
    rejection.message,
  );
}
