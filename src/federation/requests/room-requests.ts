import { type EventId, isEventId, type RoomId, type ServerName } from "../../protocol/identifiers.ts";
import type { JsonValue } from "../../protocol/json.ts";
import type { FederationClient } from "../federation-client.ts";
import { objectOf, wrongAnswer } from "./answers.ts";
import { type ItemTaker, readListedAnswer } from "./listed-answer.ts";

/** The state before an event as another server tells it: IDs only. */
export interface ToldStateIds {
  readonly stateIds: readonly EventId[];
  readonly authChainIds: readonly EventId[];
}

const path = "/_matrix/federation/v1";
const manyIdsBytes = 32 * 1024 * 1024;
/** A room with some hundred thousand members. */
const manyEventsBytes = 512 * 1024 * 1024;
const longTimeoutMs = 120_000;
/** A client waits for it. */
const shortTimeoutMs = 10_000;
/** It is checked while it comes. */
const stateTimeoutMs = 20 * 60_000;
/** Larger states are not believed to be any. */
const maxStateEvents = 500_000;

/** Asks other servers about rooms (server-server API, "Retrieving events", "Backfilling and retrieving missing events"). */
export class RoomRequests {
  readonly #client: FederationClient;

  constructor(client: FederationClient) {
    this.#client = client;
  }

  /** Events between those that this server has and those that it has heard of. @throws FederationError */
  async missingEvents(
    destination: ServerName,
    roomId: RoomId,
    query: { earliest: readonly EventId[]; latest: readonly EventId[]; limit: number },
  ): Promise<readonly JsonValue[]> {
    const { earliest, latest, limit } = query;
    const answer = await this.#client.request({
      destination,
      method: "POST",
      uri: `${path}/get_missing_events/${encodeURIComponent(roomId)}`,
      body: { earliest_events: [...earliest], latest_events: [...latest], limit, min_depth: 0 },
      maxResponseBytes: limit * maxEventBytes,
    });
    return listOf(answer, "events", limit);
  }

  /** @throws FederationError */
  async stateIds(destination: ServerName, roomId: RoomId, eventId: EventId): Promise<ToldStateIds> {
    const answer = await this.#client.request({
      destination,
      method: "GET",
      uri: `${path}/state_ids/${encodeURIComponent(roomId)}?event_id=${encodeURIComponent(eventId)}`,
      timeoutMs: longTimeoutMs,
      maxResponseBytes: manyIdsBytes,
    });
    return { stateIds: idsOf(answer, "pdu_ids"), authChainIds: idsOf(answer, "auth_chain_ids") };
  }

  /**
   * The events of the state before an event (`pdus`) and those that they rest on (`auth_chain`).
   * @throws FederationError
   */
  async state(destination: ServerName, roomId: RoomId, eventId: EventId, take: ItemTaker): Promise<void> {
    const request = {
      destination,
      method: "GET",
      uri: `${path}/state/${encodeURIComponent(roomId)}?event_id=${encodeURIComponent(eventId)}`,
      timeoutMs: stateTimeoutMs,
    } as const;
    const lists = { lists: ["auth_chain", "pdus"], kept: [], maxBytes: manyEventsBytes };
    await this.#client.stream(request, ({ body }) => readListedAnswer(body, lists, take));
  }

  /** One event, as it is in its server's answer. @throws FederationError */
  async event(destination: ServerName, eventId: EventId, signal?: AbortSignal): Promise<JsonValue> {
    const answer = await this.#client.request({
      destination,
      method: "GET",
      uri: `${path}/event/${encodeURIComponent(eventId)}`,
      maxResponseBytes: 4 * maxEventBytes,
      ...(signal && { signal }),
    });
    const [pdu] = listOf(answer, "pdus", 1);
    if (pdu === undefined) throw wrongAnswer("no event");
    return pdu;
  }

  /** The auth chain of an event. @throws FederationError */
  async authChain(destination: ServerName, roomId: RoomId, eventId: EventId): Promise<readonly JsonValue[]> {
    const answer = await this.#client.request({
      destination,
      method: "GET",
      uri: `${path}/event_auth/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`,
      timeoutMs: longTimeoutMs,
      maxResponseBytes: manyIdsBytes,
    });
    return wholeListOf(answer, "auth_chain");
  }

  /** The event closest to a moment: not before it (`f`), or not after it (`b`). @throws FederationError */
  async closestInTime(
    destination: ServerName,
    roomId: RoomId,
    originServerTs: number,
    direction: "f" | "b",
    signal?: AbortSignal,
  ): Promise<{ readonly eventId: EventId; readonly originServerTs: number }> {
    const query = new URLSearchParams({ ts: String(originServerTs), dir: direction });
    const answer = objectOf(
      await this.#client.request({
        destination,
        method: "GET",
        uri: `${path}/timestamp_to_event/${encodeURIComponent(roomId)}?${query.toString()}`,
        timeoutMs: shortTimeoutMs,
        maxResponseBytes: maxEventBytes,
        ...(signal && { signal }),
      }),
    );
    const { event_id: eventId, origin_server_ts: ts } = answer;
    if (typeof eventId !== "string" || !isEventId(eventId)) throw wrongAnswer("no event's ID");
    if (typeof ts !== "number" || !Number.isSafeInteger(ts)) throw wrongAnswer("no event's time");
    return { eventId, originServerTs: ts };
  }

  /** Events up to and including some, newest first. @throws FederationError */
  async backfill(
    destination: ServerName,
    roomId: RoomId,
    from: readonly EventId[],
    limit: number,
    signal?: AbortSignal,
  ): Promise<readonly JsonValue[]> {
    const query = new URLSearchParams([...from.map((id) => ["v", id]), ["limit", String(limit)]]);
    const answer = await this.#client.request({
      destination,
      method: "GET",
      uri: `${path}/backfill/${encodeURIComponent(roomId)}?${query.toString()}`,
      timeoutMs: longTimeoutMs,
      maxResponseBytes: limit * maxEventBytes,
      ...(signal && { signal }),
    });
    return listOf(answer, "pdus", limit);
  }
}

/** With `unsigned`, which counts for no limit. */
const maxEventBytes = 128 * 1024;

function listOf(answer: JsonValue, key: string, limit: number): readonly JsonValue[] {
  const list = objectOf(answer)[key];
  if (!Array.isArray(list)) throw wrongAnswer(`no list \`${key}\``);
  return list.slice(0, limit);
}

/** Part of a state is none. */
function wholeListOf(answer: JsonValue, key: string): readonly JsonValue[] {
  const list = listOf(answer, key, maxStateEvents + 1);
  if (list.length > maxStateEvents) throw wrongAnswer(`\`${key}\` has more entries than any state`);
  return list;
}

function idsOf(answer: JsonValue, key: string): readonly EventId[] {
  const list = wholeListOf(answer, key);
  if (!list.every((id) => typeof id === "string")) throw wrongAnswer(`\`${key}\` holds more than IDs`);
  return list as readonly EventId[];
}
