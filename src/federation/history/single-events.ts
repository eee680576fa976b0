import type { ReceivedEvent } from "../../ingest/received-event.ts";
import type { RoomReceiver } from "../../ingest/room-receiver.ts";
import { type EventId, isEventId, type ServerName } from "../../protocol/identifiers.ts";
import type { GapOutcome } from "../../services/reading/remote-history.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { Room } from "../../state/room-index.ts";
import type { EventStore } from "../../storage/events.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { wrongAnswer } from "../requests/answers.ts";
import type { RoomRequests } from "../requests/room-requests.ts";
import { freeBefore, type GapFilling } from "./gap-filling.ts";
import type { HistoryEvents } from "./history-events.ts";
import type { HistoryServers } from "./history-servers.ts";
import { Questions } from "./questions.ts";

export interface SingleHistoryEventsParts {
  readonly eventStore: Pick<EventStore, "gaps" | "gapFollowers" | "placesBackwards">;
  readonly events: Pick<EventReader, "roomEvents">;
  readonly receiver: Pick<RoomReceiver, "fillGap">;
  readonly requests: Pick<RoomRequests, "event">;
  readonly servers: HistoryServers;
  readonly history: Pick<HistoryEvents, "placed" | "complete">;
  readonly gaps: Pick<GapFilling, "exclusively">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Where an event goes: into a gap, before one of its positions. */
interface Place {
  readonly gap: number;
  readonly before: number;
}

/** Each asks for the state before its event. */
const maxUnderWay = 20;
/** Between two events whose depths differ by one there may be several, where the graph has forked. */
const positionsPerDepth = 4;
/** What another server says of depths moves an event no further into the past than this. */
const maxAhead = 2 ** 23;

/** Gets single events of rooms' gaps from other servers, and puts them where they belong. */
export class SingleHistoryEvents {
  readonly #parts: SingleHistoryEventsParts;
  readonly #questions: Questions;

  constructor(parts: SingleHistoryEventsParts) {
    this.#parts = parts;
    this.#questions = new Questions(parts, maxUnderWay);
  }

  /** See `RemoteHistory.bringEvent`. */
  bring(room: Room, eventId: string, maxWaitMs: number): Promise<GapOutcome> {
    if (!isEventId(eventId)) return Promise.resolve("unavailable");
    return this.#questions.ask(room, eventId, maxWaitMs, () => this.#bring(room, eventId));
  }

  /** An event as a server has it, ready for the graph. @throws FederationError @throws ToldStateError */
  async fetch(server: ServerName, room: Room, eventId: EventId, signal: AbortSignal): Promise<ReceivedEvent> {
    const { requests, history } = this.#parts;
    const pdu = await requests.event(server, eventId, signal);
    const [received] = await history.complete(room, server, [eventId], [pdu]);
    if (!received) throw wrongAnswer("another event");
    return received;
  }

  /** @returns its ID, or `undefined` when it has no place in the room's timeline */
  async bringIn(room: Room, received: ReceivedEvent): Promise<EventId | undefined> {
    const { gaps, receiver } = this.#parts;
    return gaps.exclusively(room, async () => {
      const place = await this.#placeOf(room, received);
      if (!place) return undefined;
      const [receipt] = await receiver.fillGap(room, place.gap, [received], place.before);
      return receipt?.verdict === "accepted" || receipt?.verdict === "known" ? receipt.eventId : undefined;
    });
  }

  async #bring(room: Room, eventId: EventId): Promise<GapOutcome> {
    const { eventStore, history, servers } = this.#parts;
    if ((await eventStore.gaps(room.roomNid)).length === 0) return "unavailable";
    // It is in the graph, and not to be shown.
    if ((await history.placed(room, [eventId])).has(eventId)) return "unavailable";
    const answers = servers.answers(room, [], (server, signal) => this.fetch(server, room, eventId, signal));
    for await (const received of answers) {
      if ((await this.bringIn(room, received)) !== undefined) return "changed";
    }
    return "unavailable";
  }

  /** The oldest gap that an event can be from, by its depth. */
  async #placeOf({ roomNid }: Room, { event }: ReceivedEvent): Promise<Place | undefined> {
    const { eventStore, events } = this.#parts;
    for (const gap of await eventStore.gaps(roomNid)) {
      const followers = await events.roomEvents(await eventStore.gapFollowers(roomNid, gap));
      if (followers.some(({ prevEventIds }) => prevEventIds.includes(event.eventId)))
        return { gap, before: gap };
      const distance = Math.max(...followers.map(({ depth }) => depth)) - event.depth;
      if (distance <= 0) continue;
      const free = await freeBefore(eventStore, roomNid, gap);
      const ahead = Math.min(distance * positionsPerDepth, Math.floor(free / 2), maxAhead);
      return ahead < 1 ? undefined : { gap, before: gap - ahead };
    }
    return undefined;
  }
}
