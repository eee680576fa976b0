import type { ActingUser } from "../../auth/requester.ts";
import { refuseSuspended } from "../../auth/suspension.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { KeyedLock } from "../../concurrency/keyed-lock.ts";
import type {
  DelayedEvent,
  DelayedEventQuery,
  DelayedEventStore,
  NewDelayedEvent,
} from "../../storage/delayed-events.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { RandomBytes } from "../../telemetry/random.ts";
import type { RoomAccess } from "../rooms/room-access.ts";
import type { DelayedSending } from "./delayed-sending.ts";

export type DelayedEventAction = "restart" | "send" | "cancel";

/** An event to be sent after a delay. */
export interface DelayRequest {
  readonly roomId: string;
  readonly type: string;
  /** Set for a state event. */
  readonly stateKey?: string | undefined;
  readonly content: JsonObject;
  readonly delayMs: number;
  /** For how long the event is sticky once it is sent. */
  readonly stickyDurationMs?: number | undefined;
  /** For application services alone: the time that the event gets. */
  readonly originServerTs?: number | undefined;
  /** See `NewDelayedEvent`. */
  readonly requestKey?: string | undefined;
}

/** What users may have scheduled. */
export interface DelayLimits {
  readonly maxDelayMs: number;
  readonly maxScheduled: number;
}

export interface DelayedEventsParts {
  readonly store: DelayedEventStore;
  readonly access: Pick<RoomAccess, "joinedRoom">;
  readonly sending: DelayedSending;
  readonly limits: DelayLimits;
  /** To be told when an event is to be sent. */
  readonly expect: (sendTs: number) => void;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
}

/** As many as are guessed by nobody: whoever has the ID may manage the event. The log knows it by its looks. */
const delayIdBytes = 24;
/** No event may be larger in all, nor have longer keys (client-server API, "Size limits"). */
const maxContentBytes = 65_536;
const maxKeyBytes = 511;

/** Events that are sent later, unless somebody decides otherwise (MSC4140). */
export class DelayedEvents {
  readonly #parts: DelayedEventsParts;
  /** Whoever manages an event waits while it is being sent. */
  readonly #lock = new KeyedLock();

  constructor(parts: DelayedEventsParts) {
    this.#parts = parts;
  }

  get limits(): DelayLimits {
    return this.#parts.limits;
  }

  /**
   * Schedules an event. Whether it may be sent is looked at when it is.
   * @returns the ID of the delayed event
   * @throws MatrixError M_FORBIDDEN, M_TOO_LARGE, M_LIMIT_EXCEEDED, M_USER_SUSPENDED
   */
  async schedule(user: ActingUser, request: DelayRequest): Promise<string> {
    const { store, access, clock, limits } = this.#parts;
    const { delayMs, roomId } = request;
    if (limits.maxScheduled === 0)
      throw new MatrixError("M_FORBIDDEN", "This server sends no delayed events");
    refuseLongDelay(delayMs, limits, "M_FORBIDDEN");
    await access.joinedRoom(roomId, user);
    refuseSuspended(user);
    const nowTs = clock.nowMs();
    const outcome = await store.schedule(this.#newEvent(user, request, nowTs), limits.maxScheduled);
    if (!outcome.scheduled) {
      const waitMs = Math.max(0, outcome.nextTs - nowTs);
      throw new MatrixError("M_LIMIT_EXCEEDED", "The maximum number of delayed events has been reached", {
        retry_after_ms: Math.ceil(waitMs / 1000) * 1000,
      });
    }
    this.#parts.expect(nowTs + delayMs);
    return outcome.delayId;
  }

  /**
   * Does something with a scheduled event. Doing what has been done already is no fault.
   * @param user `undefined` for somebody who knows the ID and nothing else: what clients share with those who watch over
   * their connection
   * @returns "conflict" when the event has ended in another way
   * @throws MatrixError M_NOT_FOUND; why the event cannot be sent now: it stays scheduled
   */
  manage(
    delayId: string,
    action: DelayedEventAction,
    user: ActingUser | undefined,
  ): Promise<"done" | "conflict"> {
    return this.#lock.run(delayId, async () => {
      const event = await this.#find(delayId, user);
      if (event.finalisedTs !== null) return isEndedBy(event, action) ? "done" : "conflict";
      if (action === "restart") await this.#restart(event);
      else if (action === "send") await this.#send(event);
      else await this.#finalise(event, null, null);
      return "done";
    });
  }

  /** Sends an event whose time has come, or remembers why it cannot be sent. */
  async deliver({ delayId }: DelayedEvent): Promise<void> {
    await this.#lock.run(delayId, async () => {
      const event = await this.#parts.store.find(delayId);
      if (!event || event.finalisedTs !== null || event.sendTs > this.#parts.clock.nowMs()) return;
      try {
        await this.#send(event);
      } catch (error) {
        if (!(error instanceof MatrixError)) throw error;
        const { errcode, message, details } = error;
        await this.#finalise(event, null, JSON.stringify({ errcode, error: message, ...details }));
      }
    });
  }

  /** @throws MatrixError M_NOT_FOUND, also for what somebody else has scheduled */
  get(user: ActingUser, delayId: string): Promise<DelayedEvent> {
    return this.#find(delayId, user);
  }

  list(user: ActingUser, query: Omit<DelayedEventQuery, "userNid">): Promise<DelayedEvent[]> {
    return this.#parts.store.list({ ...query, userNid: user.userNid });
  }

  #newEvent(user: ActingUser, request: DelayRequest, nowTs: number): NewDelayedEvent {
    const { roomId, type, stateKey = null, delayMs, requestKey = null } = request;
    const content = JSON.stringify(request.content);
    if (Buffer.byteLength(content) > maxContentBytes) {
      throw new MatrixError("M_TOO_LARGE", `An event may have at most ${maxContentBytes} bytes`);
    }
    if (Buffer.byteLength(type) > maxKeyBytes || Buffer.byteLength(stateKey ?? "") > maxKeyBytes) {
      throw new MatrixError("M_TOO_LARGE", "The type or the state key of the event is too long");
    }
    return {
      delayId: `hdt_${this.#parts.randomBytes(delayIdBytes).toString("base64url")}`,
      userNid: user.userNid,
      deviceId: user.deviceId,
      requestKey,
      roomId,
      type,
      stateKey,
      content,
      stickyDurationMs: request.stickyDurationMs ?? null,
      originServerTs: request.originServerTs ?? null,
      isUnlimited: user.isUnlimited ? 1 : 0,
      delayMs,
      scheduledTs: nowTs,
    };
  }

  async #find(delayId: string, user: ActingUser | undefined): Promise<DelayedEvent> {
    const event = await this.#parts.store.find(delayId);
    if (event && (!user || event.userNid === user.userNid)) return event;
    throw new MatrixError("M_NOT_FOUND", "There is no such delayed event");
  }

  async #restart({ delayId, delayMs }: DelayedEvent): Promise<void> {
    const nowTs = this.#parts.clock.nowMs();
    await this.#parts.store.restart(delayId, nowTs);
    this.#parts.expect(nowTs + delayMs);
  }

  /** The event's own commit ends the delayed one, unless the event only repeats what is there. */
  async #send(event: DelayedEvent): Promise<void> {
    await this.#finalise(event, await this.#parts.sending.send(event), null);
  }

  async #finalise({ delayId }: DelayedEvent, eventId: string | null, error: string | null): Promise<void> {
    const finalisedTs = this.#parts.clock.nowMs();
    await this.#parts.store.finalise(delayId, { finalisedTs, eventId, error });
  }
}

/** @throws MatrixError with a code of the caller's choice, and what today's clients know it by */
export function refuseLongDelay(
  delayMs: number,
  { maxDelayMs }: DelayLimits,
  errcode: "M_FORBIDDEN" | "M_UNKNOWN",
): void {
  if (delayMs <= maxDelayMs) return;
  throw new MatrixError(errcode, `This server delays events for ${maxDelayMs} ms at most`, {
    "org.matrix.msc4140.errcode": "M_MAX_DELAY_EXCEEDED",
    "org.matrix.msc4140.max_delay": maxDelayMs,
  });
}

/** Whether an event that has ended did so in the way that somebody wants now. */
function isEndedBy({ eventId }: DelayedEvent, action: DelayedEventAction): boolean {
  return action === "send" ? eventId !== null : action === "cancel" && eventId === null;
}
