import type { Receipt, ReceivedEvent } from "../../ingest/received-event.ts";
import type { RoomReceiver } from "../../ingest/room-receiver.ts";
import type { EventId, ServerName } from "../../protocol/identifiers.ts";
import type { Room } from "../../state/room-index.ts";
import type { StateMap } from "../../state/state-snapshots.ts";
import { TokenBuckets } from "../../auth/token-buckets.ts";
import type { EventStore } from "../../storage/events.ts";
import type { RoomStore } from "../../storage/rooms.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { FederationError } from "../federation-client.ts";
import { requestedEvents } from "../history/requested-events.ts";
import type { RoomRequests } from "../requests/room-requests.ts";
import type { PduChecks } from "./pdu-checks.ts";
import { type ToldStates, ToldStateError } from "./told-state.ts";

export interface EventCompletionParts {
  readonly receiver: RoomReceiver;
  readonly rooms: Pick<RoomStore, "extremities">;
  readonly events: Pick<EventStore, "byId">;
  readonly requests: RoomRequests;
  readonly checks: PduChecks;
  readonly toldStates: ToldStates;
  /** Whether the room's policy server wants an event; one that it does not want is soft-failed. */
  readonly isWanted: (room: Room, event: ReceivedEvent) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** As other servers do; what lies before is a gap, and is read when somebody pages there. */
const missingEventsLimit = 20;
const maxExtremities = 20;
/**
 * What one server makes this one fetch for one room: somebody may send events that follow nothing at all, each of which
 * would be asked about. A state may be large.
 */
const completionsOfServer = { burst: 100, perSecond: 2 };
const statesOfServer = { burst: 20, perSecond: 0.2 };
const untold = "Its server does not tell of the events that it follows.";

/** Takes events into a room's graph, with what has to be got from the server that sent them. */
export class EventCompletion {
  readonly #parts: EventCompletionParts;
  readonly #completions: TokenBuckets;
  readonly #states: TokenBuckets;

  constructor(parts: EventCompletionParts) {
    this.#parts = parts;
    this.#completions = new TokenBuckets(completionsOfServer, parts.clock);
    this.#states = new TokenBuckets(statesOfServer, parts.clock);
  }

  /** @returns what became of each event; one that is still incomplete cannot be used */
  async receive(
    room: Room,
    origin: ServerName,
    events: readonly ReceivedEvent[],
  ): Promise<readonly Receipt[]> {
    const receipts: Receipt[] = [];
    let left: readonly ReceivedEvent[] = await this.#judged(room, events);
    while (left.length > 0) {
      const round = await this.#parts.receiver.receive(room, left);
      receipts.push(...round.filter(({ verdict }) => verdict !== "incomplete"));
      const [stuck, ...others] = left.filter((_, index) => round[index]?.verdict === "incomplete");
      if (!stuck) break;
      const { missingPrev = [] } = round[left.indexOf(stuck)] ?? {};
      receipts.push(await this.#complete(room, origin, stuck, missingPrev));
      // They may have waited for it.
      left = others;
    }
    return receipts;
  }

  async #complete(
    room: Room,
    origin: ServerName,
    received: ReceivedEvent,
    missingPrev: readonly EventId[],
  ): Promise<Receipt> {
    const { eventId } = received.event;
    if (this.#completions.take(keyOf(room, origin)) > 0) return tooMany(eventId);
    try {
      const missing = missingPrev.length > 0 ? await this.#eventsBefore(room, origin, received) : [];
      const told = new Set(missing.map(({ event }) => event.eventId));
      for (const id of missingPrev) {
        // Another server may have sent it meanwhile.
        if (told.has(id) || (await this.#isPlaced(room, id))) continue;
        // Who sends an event can tell what it follows; what follows no events of the room's version is none either.
        return { eventId, verdict: "incomplete", reason: untold };
      }
      let receipt: Receipt = { eventId, verdict: "incomplete" };
      for (const each of [...missing, received]) {
        receipt = await this.#receiveOne(room, origin, each);
      }
      return receipt;
    } catch (error) {
      if (!(error instanceof FederationError || error instanceof ToldStateError)) throw error;
      this.#parts.log.info(
        { err: error, origin, roomId: room.roomId, eventId },
        "an event cannot be completed",
      );
      return { eventId, verdict: "incomplete", reason: error.message };
    }
  }

  /** Events between the newest ones here and an event, oldest first. None when the server does not tell. */
  async #eventsBefore(room: Room, origin: ServerName, { event }: ReceivedEvent): Promise<ReceivedEvent[]> {
    const { rooms, requests, checks, log } = this.#parts;
    const extremities = await rooms.extremities(room.roomNid);
    const earliest = extremities
      .slice(0, maxExtremities)
      .map(({ eventId }) => eventId as typeof event.eventId);
    const found: ReceivedEvent[] = [];
    try {
      const pdus = await requests.missingEvents(origin, room.roomId, {
        earliest,
        latest: [event.eventId],
        limit: missingEventsLimit,
      });
      for (const pdu of pdus) {
        const checked = await checks.checkOrDrop(room.version, pdu, room.roomId);
        // What lies before events that have their place here is none of this: it may be older than either server's join.
        if (checked && !(await this.#isPlaced(room, checked.event.eventId))) found.push(checked);
      }
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      log.debug({ err: error, origin, roomId: room.roomId }, "missing events are not to be had");
    }
    return this.#judged(room, requestedEvents(event.prevEventIds, found));
  }

  async #isPlaced({ roomNid }: Room, eventId: EventId): Promise<boolean> {
    const stored = await this.#parts.events.byId(eventId);
    return stored?.roomNid === roomNid && stored.stateAfter !== null;
  }

  #judged(room: Room, events: readonly ReceivedEvent[]): Promise<ReceivedEvent[]> {
    const judge = async (received: ReceivedEvent) => {
      const isWanted = await this.#parts.isWanted(room, received);
      return isWanted ? received : { ...received, isUnwanted: true };
    };
    return Promise.all(events.map(judge));
  }

  async #receiveOne(room: Room, origin: ServerName, received: ReceivedEvent): Promise<Receipt> {
    const { receiver, toldStates } = this.#parts;
    const { eventId } = received.event;
    const receipt = await one(receiver, room, received);
    if (receipt.verdict !== "incomplete") return receipt;
    const states = await this.#statesBefore(room, origin, eventId, receipt.missingPrev ?? []);
    if (!states) return tooMany(eventId);
    const withStates = { ...received, toldStates: states };
    // What the event itself rests on is mostly among what the states rest on.
    const next = await one(receiver, room, withStates);
    if (!next.missingAuth?.length) return next;
    await toldStates.authChain(room, eventId, origin);
    return one(receiver, room, withStates);
  }

  /** States that events which are missing have led to, as a server tells them; `undefined` when it has told too many. */
  async #statesBefore(
    room: Room,
    origin: ServerName,
    eventId: EventId,
    missingPrev: readonly EventId[],
  ): Promise<readonly StateMap[] | undefined> {
    const { toldStates } = this.#parts;
    const isTooMuch = () => this.#states.take(keyOf(room, origin)) > 0;
    const states: StateMap[] = [];
    for (const prevId of missingPrev) {
      if (isTooMuch()) return undefined;
      try {
        states.push(await toldStates.after(room, prevId, origin));
      } catch (error) {
        if (!(error instanceof FederationError) || error.status !== 404) throw error;
        // It is older than what the server has of the room itself, which knows the state before what follows it.
        return isTooMuch() ? undefined : [await toldStates.before(room, eventId, origin)];
      }
    }
    return states;
  }
}

function keyOf({ roomNid }: Room, origin: ServerName): string {
  return `${roomNid} ${origin}`;
}

function tooMany(eventId: Receipt["eventId"]): Receipt {
  return {
    eventId,
    verdict: "incomplete",
    reason: "Its server sends too many events that follow unknown ones.",
  };
}

async function one(receiver: RoomReceiver, room: Room, received: ReceivedEvent): Promise<Receipt> {
  const [receipt] = await receiver.receive(room, [received]);
  if (!receipt) throw new Error("an event was received and nothing became of it");
  return receipt;
}
