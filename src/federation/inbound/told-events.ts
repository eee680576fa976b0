import type { ReceivedEvent } from "../../ingest/received-event.ts";
import type { RoomOutliers } from "../../ingest/room-outliers.ts";
import { StrictJsonError } from "../../protocol/errors.ts";
import type { EventId } from "../../protocol/identifiers.ts";
import type { JsonValue } from "../../protocol/json.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import { parseStrictJson } from "../../protocol/strict-json.ts";
import type { Room } from "../../state/room-index.ts";
import type { Pace } from "../../telemetry/pace.ts";
import { wrongAnswer } from "../requests/answers.ts";
import { inAuthOrder } from "./auth-order.ts";
import { checkedEventOf } from "./checked-text.ts";
import { HeldTexts } from "./held-texts.ts";
import type { PduChecks } from "./pdu-checks.ts";

export interface ToldEventsParts {
  readonly checks: PduChecks;
  readonly outliers: RoomOutliers;
  readonly pace: Pace;
}

/** What is kept of an event until all have come: an event can only be stored after those that it rests on. */
interface HeldEvent {
  readonly event: Pick<RoomEvent, "eventId" | "authEventIds" | "type">;
  /** Where its text is. */
  readonly place: number;
}

/** Larger states and auth chains are not believed to be any. */
const maxEvents = 1_000_000;
/** Events that wait for keys or for their signatures to be checked: a server that is gone holds up its own only. */
const maxChecking = 400;
/** So many are stored at a time. */
const chunkSize = 100;

/** Events of one room as another server tells them: they are checked while they come, and stored when all are there. */
export class ToldEvents {
  readonly #parts: ToldEventsParts;
  readonly #room: Room;
  readonly #held = new Map<EventId, HeldEvent>();
  readonly #texts = new HeldTexts();
  readonly #ids = new Map<string, EventId[]>();
  readonly #stored = new Set<EventId>();
  #count = 0;
  #checking = 0;
  #whenReady: (() => void) | undefined;
  #failure: unknown;

  constructor(parts: ToldEventsParts, room: Room) {
    this.#parts = parts;
    this.#room = room;
  }

  /**
   * Takes events, as JSON texts. Those that do not pass the checks on receipt are left out.
   * @returns when it is ready for more
   * @throws FederationError when there are too many
   */
  async take(list: string, texts: readonly (Buffer | JsonValue)[]): Promise<void> {
    this.#count += texts.length;
    if (this.#count > maxEvents) throw wrongAnswer("it has more events than any room");
    this.#checking += texts.length;
    for (const text of texts) {
      void this.#check(list, text);
      await this.#parts.pace.breathe();
    }
    await this.#until(maxChecking);
  }

  /** The create events among those of a list. Nothing is stored yet. */
  async createEventsOf(list: string): Promise<readonly RoomEvent[]> {
    await this.#until(0);
    const creates: RoomEvent[] = [];
    for (const eventId of this.#ids.get(list) ?? []) {
      const held = this.#held.get(eventId);
      if (held?.event.type !== "m.room.create") continue;
      creates.push(checkedEventOf(this.#room.version, this.#texts.at(held.place), eventId).event);
    }
    return creates;
  }

  /**
   * Stores what has been taken and is not known yet. What rests on events that are not here is left out.
   * @throws StorageError
   */
  async store(): Promise<void> {
    await this.#until(0);
    const ordered = await inAuthOrder([...this.#held.values()], this.#parts.pace);
    this.#held.clear();
    for (let start = 0; start < ordered.length; start += chunkSize) {
      const events: ReceivedEvent[] = [];
      for (const { event, place } of ordered.slice(start, start + chunkSize)) {
        events.push(checkedEventOf(this.#room.version, this.#texts.at(place), event.eventId));
        await this.#parts.pace.breathe();
      }
      for (const { eventId, verdict } of await this.#parts.outliers.store(this.#room, events)) {
        if (verdict !== "incomplete") this.#stored.add(eventId);
      }
    }
    this.#texts.clear();
  }

  /** The events of a list that have been stored. */
  idsOf(list: string): readonly EventId[] {
    return (this.#ids.get(list) ?? []).filter((eventId) => this.#stored.has(eventId));
  }

  async #check(list: string, told: Buffer | JsonValue): Promise<void> {
    try {
      const value = Buffer.isBuffer(told) ? parsed(told) : told;
      const { version, roomId } = this.#room;
      const received =
        value === undefined ? undefined : await this.#parts.checks.checkOrDrop(version, value, roomId);
      if (received) {
        const { eventId, authEventIds, type } = received.event;
        const place = this.#texts.add(received.encoded.text());
        this.#held.set(eventId, { event: { eventId, authEventIds, type }, place });
        const ids = this.#ids.get(list) ?? [];
        ids.push(eventId);
        this.#ids.set(list, ids);
      }
    } catch (error) {
      this.#failure ??= error;
    } finally {
      this.#checking -= 1;
      this.#whenReady?.();
    }
  }

  /** Waits until no more than so many events are being checked. @throws what the checks throw */
  async #until(limit: number): Promise<void> {
    while (this.#checking > limit && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#whenReady = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function parsed(text: Buffer): JsonValue | undefined {
  try {
    return parseStrictJson(text);
  } catch (error) {
    if (error instanceof StrictJsonError) return undefined;
    throw error;
  }
}
