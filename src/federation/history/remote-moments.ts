import type { ReceivedEvent } from "../../ingest/received-event.ts";
import type { RoomReceiver } from "../../ingest/room-receiver.ts";
import type { EventId, ServerName } from "../../protocol/identifiers.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { Room } from "../../state/room-index.ts";
import type { EventStore } from "../../storage/events.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { FederationError } from "../federation-client.ts";
import { ToldStateError } from "../inbound/told-state.ts";
import { wrongAnswer } from "../requests/answers.ts";
import type { RoomRequests } from "../requests/room-requests.ts";
import type { GapFilling } from "./gap-filling.ts";
import type { HistoryEvents } from "./history-events.ts";
import type { HistoryServers } from "./history-servers.ts";

export interface RemoteMomentsParts {
  readonly eventStore: Pick<EventStore, "gaps" | "gapFollowers" | "placesBackwards">;
  readonly events: Pick<EventReader, "roomEvents">;
  readonly receiver: Pick<RoomReceiver, "fillGap">;
  readonly requests: Pick<RoomRequests, "closestInTime" | "event">;
  readonly servers: HistoryServers;
  readonly history: HistoryEvents;
  readonly gaps: Pick<GapFilling, "exclusively">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A moment, and the side of it to look at. */
interface Wanted {
  readonly originServerTs: number;
  readonly direction: "f" | "b";
  /** How far from the moment an event may be at most. */
  readonly closerThanMs: number;
}

/** Where an event goes: into a gap, before one of its positions. */
interface Place {
  readonly gap: number;
  readonly before: number;
}

/** A client waits. */
const maxWaitMs = 15_000;
/** Between two events whose depths differ by one there may be several, where the graph has forked. */
const positionsPerDepth = 4;

/** Finds events by their time with other servers, where this one has gaps (server-server API, "timestamp_to_event"). */
export class RemoteMoments {
  readonly #parts: RemoteMomentsParts;

  constructor(parts: RemoteMomentsParts) {
    this.#parts = parts;
  }

  /** See `RemoteHistory`. */
  async closestInTime(
    room: Room,
    originServerTs: number,
    direction: "f" | "b",
    closerThan: number | undefined,
  ): Promise<string | undefined> {
    const closerThanMs =
      closerThan === undefined ? Number.POSITIVE_INFINITY : Math.abs(closerThan - originServerTs);
    const late = Promise.withResolvers<undefined>();
    using _timer = this.#parts.clock.setTimer(maxWaitMs, () => late.resolve(undefined));
    return await Promise.race([
      this.#search(room, { originServerTs, direction, closerThanMs }),
      late.promise,
    ]);
  }

  async #search(room: Room, wanted: Wanted): Promise<EventId | undefined> {
    const { servers, log } = this.#parts;
    for (const server of await servers.of(room, [])) {
      try {
        return await this.#searchAt(server, room, wanted);
      } catch (error) {
        if (!(error instanceof FederationError || error instanceof ToldStateError)) throw error;
        if (error instanceof FederationError && error.failure === "unreachable") servers.failed(server);
        log.debug({ err: error, server, roomId: room.roomId }, "an event is not to be had by its time");
      }
    }
    return undefined;
  }

  async #searchAt(server: ServerName, room: Room, wanted: Wanted): Promise<EventId | undefined> {
    const { requests, history } = this.#parts;
    const { originServerTs, direction } = wanted;
    const told = await requests.closestInTime(server, room.roomId, originServerTs, direction);
    if (!fits(told.originServerTs, wanted)) return undefined;
    if ((await history.placed(room, [told.eventId])).has(told.eventId)) return told.eventId;
    const pdu = await requests.event(server, told.eventId);
    const [received] = await history.complete(room, server, [told.eventId], [pdu]);
    if (!received) throw wrongAnswer("another event");
    if (!fits(received.event.originServerTs, wanted)) throw wrongAnswer("an event of another time");
    return this.#bringIn(room, received);
  }

  async #bringIn(room: Room, received: ReceivedEvent): Promise<EventId | undefined> {
    const { gaps, receiver } = this.#parts;
    return gaps.exclusively(room, async () => {
      const place = await this.#placeOf(room, received);
      if (!place) return undefined;
      const [receipt] = await receiver.fillGap(room, place.gap, [received], place.before);
      return receipt?.verdict === "accepted" || receipt?.verdict === "known" ? receipt.eventId : undefined;
    });
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

/** What another server says of depths moves an event no further into the past than this. */
const maxAhead = 2 ** 23;

/** Whether an event is on the right side of the moment, and close enough. */
function fits(eventTs: number, { originServerTs, direction, closerThanMs }: Wanted): boolean {
  const isOnSide = direction === "f" ? eventTs >= originServerTs : eventTs <= originServerTs;
  return isOnSide && Math.abs(eventTs - originServerTs) < closerThanMs;
}
