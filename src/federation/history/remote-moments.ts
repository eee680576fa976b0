import { withinTime } from "../../concurrency/within-time.ts";
import type { ReceivedEvent } from "../../ingest/received-event.ts";
import type { EventId, ServerName } from "../../protocol/identifiers.ts";
import type { Room } from "../../state/room-index.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { wrongAnswer } from "../requests/answers.ts";
import type { RoomRequests } from "../requests/room-requests.ts";
import type { HistoryEvents } from "./history-events.ts";
import type { HistoryServers } from "./history-servers.ts";
import type { SingleHistoryEvents } from "./single-events.ts";

export interface RemoteMomentsParts {
  readonly requests: Pick<RoomRequests, "closestInTime">;
  readonly servers: HistoryServers;
  readonly history: Pick<HistoryEvents, "placed">;
  readonly single: Pick<SingleHistoryEvents, "fetch" | "bringIn">;
  readonly clock: Clock;
}

/** A moment, and the side of it to look at. */
interface Wanted {
  readonly originServerTs: number;
  readonly direction: "f" | "b";
  /** How far from the moment an event may be at most. */
  readonly closerThanMs: number;
}

/** What a server says is closest to a moment: something that is here, that it has sent, or nothing that counts. */
interface ToldClosest {
  readonly known?: EventId;
  readonly received?: ReceivedEvent;
}

/** A client waits. */
const maxWaitMs = 15_000;

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
    const search = this.#search(room, { originServerTs, direction, closerThanMs });
    return withinTime(this.#parts.clock, maxWaitMs, search, undefined);
  }

  async #search(room: Room, wanted: Wanted): Promise<EventId | undefined> {
    const { servers, single } = this.#parts;
    const answers = servers.answers(room, [], (server, signal) => this.#ask(server, room, wanted, signal));
    for await (const { known, received } of answers) return received ? single.bringIn(room, received) : known;
    return undefined;
  }

  /** @throws FederationError @throws ToldStateError */
  async #ask(server: ServerName, room: Room, wanted: Wanted, signal: AbortSignal): Promise<ToldClosest> {
    const { requests, history, single } = this.#parts;
    const { originServerTs, direction } = wanted;
    const told = await requests.closestInTime(server, room.roomId, originServerTs, direction, signal);
    if (!fits(told.originServerTs, wanted)) return {};
    if ((await history.placed(room, [told.eventId])).has(told.eventId)) return { known: told.eventId };
    const received = await single.fetch(server, room, told.eventId, signal);
    if (!fits(received.event.originServerTs, wanted)) throw wrongAnswer("an event of another time");
    return { received };
  }
}

/** Whether an event is on the right side of the moment, and close enough. */
function fits(eventTs: number, { originServerTs, direction, closerThanMs }: Wanted): boolean {
  const isOnSide = direction === "f" ? eventTs >= originServerTs : eventTs <= originServerTs;
  return isOnSide && Math.abs(eventTs - originServerTs) < closerThanMs;
}
