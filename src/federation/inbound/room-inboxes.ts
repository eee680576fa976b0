import type { EventId, ServerName } from "../../protocol/identifiers.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import type { PartialRooms } from "../../state/partial-rooms.ts";
import type { RoomIndex } from "../../state/room-index.ts";
import type {
  FederationInboxStore,
  InboxEvent,
  InboxLane,
  InboxRow,
} from "../../storage/federation-inbox.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { checkedEventOf } from "./checked-text.ts";
import type { EventCompletion } from "./event-completion.ts";
import { LanePressure } from "./lane-pressure.ts";

export interface RoomInboxesParts {
  readonly store: FederationInboxStore;
  readonly rooms: RoomIndex;
  readonly completion: EventCompletion;
  readonly partialRooms: Pick<PartialRooms, "has" | "whole">;
  /** Told of each event that has become part of a room. */
  readonly accepted: (event: RoomEvent) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Lanes that are emptied at the same time. One that waits for a slow server takes a place: so few are left to each server
 * that no handful of slow ones takes them all.
 */
const maxLanesAtOnce = 200;
const maxLanesOfServer = 8;
/** What one commit and one look into the inbox take. */
const eventsAtOnce = 50;
const bytesAtOnce = 512 * 1024;
/** What waits in one lane beyond this is left out; it is asked for again when something follows it. */
const maxWaiting = 1_000;
/** After a failure of our own, such as a full disk. */
const retryDelayMs = 10_000;

/**
 * Takes received events out of the inbox and into their rooms' graphs. What one server has sent of one room goes in order,
 * and side by side with everything else: neither another server nor another room is waited for.
 */
export class RoomInboxes implements AsyncDisposable {
  readonly #parts: RoomInboxesParts;
  /** Lanes in which something waits, in the order in which they were woken. */
  readonly #waiting = new Map<string, InboxLane>();
  readonly #working = new Map<string, Promise<void>>();
  /** How many of those that work are of one server. */
  readonly #workingOf = new Map<string, number>();
  /**
   * By lane, up to which of its events those that are left cannot be judged before all members of the room are known.
   * What comes behind them goes on, unless it follows them.
   */
  readonly #held = new Map<string, number>();
  readonly #pressure: LanePressure;
  #isClosed = false;

  constructor(parts: RoomInboxesParts) {
    this.#parts = parts;
    this.#pressure = new LanePressure(parts.clock);
  }

  /** Goes on with what has waited since before the start. */
  async resume(): Promise<void> {
    for (const lane of await this.#parts.store.lanes()) this.#wake(lane);
  }

  /**
   * Keeps events on disk until they have been judged.
   * @returns the IDs of those for which there is no place
   * @throws StorageError
   */
  async add(events: readonly InboxEvent[]): Promise<readonly string[]> {
    if (events.length === 0) return [];
    const leftOut = await this.#parts.store.add(events, maxWaiting);
    const lanes = new Map(
      events.map(({ roomNid, origin }) => [keyOf({ roomNid, origin }), { roomNid, origin }]),
    );
    for (const event of events) this.#pressure.added(keyOf(event));
    for (const lane of lanes.values()) this.#wake(lane);
    return leftOut;
  }

  /**
   * Waits for a while where many events wait: a server that is answered later sends less, and nothing has to be left out.
   * @param events that were added
   */
  async relieved(events: readonly InboxEvent[]): Promise<void> {
    const keys = [...new Set(events.map(keyOf))].filter((key) => !this.#held.has(key));
    await Promise.all(keys.map((key) => this.#pressure.relieved(key)));
  }

  /** What is being judged is judged to its end; the rest waits for the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#waiting.clear();
    await Promise.all(this.#working.values());
  }

  #wake(lane: InboxLane): void {
    if (this.#isClosed) return;
    this.#waiting.set(keyOf(lane), lane);
    this.#startWork();
  }

  /** What is left in a lane up to an event waits until all members of its room are known. */
  #hold(lane: InboxLane, upTo: number): void {
    const key = keyOf(lane);
    const isHeld = this.#held.has(key);
    this.#held.set(key, upTo);
    if (isHeld) return;
    void this.#parts.partialRooms.whole(lane.roomNid).then(() => {
      this.#held.delete(key);
      return this.#wake(lane);
    });
  }

  #startWork(): void {
    for (const [key, lane] of this.#waiting) {
      if (this.#working.size >= maxLanesAtOnce) return;
      const busy = this.#workingOf.get(lane.origin) ?? 0;
      if (this.#working.has(key) || busy >= maxLanesOfServer) continue;
      this.#waiting.delete(key);
      this.#workingOf.set(lane.origin, busy + 1);
      this.#working.set(
        key,
        this.#empty(lane).finally(() => this.#ended(key, lane)),
      );
    }
  }

  #ended(key: string, { origin }: InboxLane): void {
    this.#working.delete(key);
    const busy = (this.#workingOf.get(origin) ?? 1) - 1;
    if (busy === 0) this.#workingOf.delete(origin);
    else this.#workingOf.set(origin, busy);
    this.#startWork();
  }

  async #empty(lane: InboxLane): Promise<void> {
    try {
      while (!this.#isClosed) {
        const held = this.#held.get(keyOf(lane));
        const rows = await this.#parts.store.next(lane, held ?? 0, eventsAtOnce, bytesAtOnce);
        const last = rows.at(-1);
        if (!last) {
          if (held === undefined) this.#pressure.emptied(keyOf(lane));
          return;
        }
        const left = await this.#judge(lane, rows);
        const judged = rows.filter(({ eventId }) => !left.has(eventId));
        await this.#parts.store.remove(judged.map(({ inboxNid }) => inboxNid));
        this.#pressure.taken(keyOf(lane), judged.length);
        if (!this.#parts.partialRooms.has(lane.roomNid)) continue;
        if (left.size > 0 || held !== undefined) this.#hold(lane, last.inboxNid);
      }
    } catch (error) {
      this.#parts.log.error(
        { err: error, ...lane },
        "received events cannot be judged; they are tried again later",
      );
      this.#parts.clock.setTimer(retryDelayMs, () => this.#wake(lane));
    }
  }

  /** @returns the IDs of events that have to be judged again once all members of the room are known */
  async #judge(lane: InboxLane, rows: readonly InboxRow[]): Promise<ReadonlySet<string>> {
    const isPartial = this.#parts.partialRooms.has(lane.roomNid);
    const left = new Set<string>();
    const room = await this.#parts.rooms.byNid(lane.roomNid);
    const origin = lane.origin as ServerName;
    const events = rows.map(({ pdu, eventId }) => checkedEventOf(room.version, pdu, eventId as EventId));
    const receipts = await this.#parts.completion.receive(room, origin, events);
    const byId = new Map(events.map(({ event }) => [event.eventId, event]));
    for (const { eventId, verdict, reason } of receipts) {
      const event = verdict === "accepted" ? byId.get(eventId) : undefined;
      if (event) await this.#parts.accepted(event);
      if (verdict === "accepted" || verdict === "known") continue;
      if (isPartial && verdict === "incomplete") left.add(eventId);
      this.#parts.log.info({ roomId: room.roomId, origin, eventId, verdict, reason }, "event not accepted");
    }
    return left;
  }
}

function keyOf({ roomNid, origin }: InboxLane): string {
  return `${roomNid} ${origin}`;
}
