import { boundedCache } from "../../cache/bounded-cache.ts";
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
import { type GapFilling, withinTime } from "./gap-filling.ts";
import type { HistoryEvents } from "./history-events.ts";
import type { HistoryServers } from "./history-servers.ts";

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
/** An event that no server has given is not asked for again for so long: anybody can name events that do not exist. */
const restMs = 60_000;
const maxResting = 10_000;
/** Between two events whose depths differ by one there may be several, where the graph has forked. */
const positionsPerDepth = 4;
/** What another server says of depths moves an event no further into the past than this. */
const maxAhead = 2 ** 23;

/** Gets single events of rooms' gaps from other servers, and puts them where they belong. */
export class SingleHistoryEvents {
  readonly #parts: SingleHistoryEventsParts;
  readonly #underWay = new Map<string, Promise<GapOutcome>>();
  readonly #resting = boundedCache<string, true>(maxResting);

  constructor(parts: SingleHistoryEventsParts) {
    this.#parts = parts;
  }

  /** See `RemoteHistory.bringEvent`. */
  async bring(room: Room, eventId: string, maxWaitMs: number): Promise<GapOutcome> {
    const key = `${room.roomNid} ${eventId}`;
    if (!isEventId(eventId) || this.#resting.has(key)) return "unavailable";
    const known = this.#underWay.get(key);
    if (!known && this.#underWay.size >= maxUnderWay) return "pending";
    return withinTime(this.#parts.clock, maxWaitMs, known ?? this.#start(key, room, eventId));
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

  #start(key: string, room: Room, eventId: EventId): Promise<GapOutcome> {
    const work = this.#bring(room, eventId)
      .then((isHere): GapOutcome => {
        if (isHere) return "changed";
        this.#resting.set(key, true, { ttl: restMs });
        return "unavailable";
      })
      .catch((error: unknown): GapOutcome => {
        this.#parts.log.error({ err: error, roomId: room.roomId }, "a missing event cannot be stored");
        return "unavailable";
      })
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, work);
    return work;
  }

  async #bring(room: Room, eventId: EventId): Promise<boolean> {
    const { eventStore, history, servers } = this.#parts;
    if ((await eventStore.gaps(room.roomNid)).length === 0) return false;
    // It is in the graph, and not to be shown.
    if ((await history.placed(room, [eventId])).has(eventId)) return false;
    const answers = servers.answers(room, [], (server, signal) => this.fetch(server, room, eventId, signal));
    for await (const received of answers) {
      if ((await this.bringIn(room, received)) !== undefined) return true;
    }
    return false;
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
      const [older] = await eventStore.placesBackwards(roomNid, gap - 1, Number.MIN_SAFE_INTEGER, 1);
      const free = older ? gap - 1 - older.position : Number.MAX_SAFE_INTEGER;
      const ahead = Math.min(distance * positionsPerDepth, Math.floor(free / 2), maxAhead);
      return ahead < 1 ? undefined : { gap, before: gap - ahead };
    }
    return undefined;
  }
}
