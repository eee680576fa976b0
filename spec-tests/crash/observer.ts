import type { TestClient } from "../support/client.ts";
import { isJsonObject, type JsonObject } from "../../src/protocol/json.ts";
import { unlessGone } from "./write-storm.ts";

const client = "/_matrix/client/v3";
const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { limit: 100 } } }));
const maxPages = 200;

/** An event of a room, as a client sees it. */
export type RoomEventJson = JsonObject & { readonly event_id: string };

/** A device that syncs all the time, across crashes of the server, and keeps what it is told. */
export class Observer {
  readonly #user: TestClient;
  readonly #timelines = new Map<string, RoomEventJson[]>();
  readonly toDevice: JsonObject[] = [];
  #since = "";

  constructor(user: TestClient) {
    this.#user = user;
  }

  /** Everything that came for a room, in the order in which it came. */
  timeline(room: string): readonly RoomEventJson[] {
    return this.#timelines.get(decodeURIComponent(room)) ?? [];
  }

  /** Syncs until the server is gone. */
  async untilGone(): Promise<void> {
    while (await unlessGone(this.#sync(30_000)));
  }

  /** Syncs until it has seen an event of a room. */
  async untilSeen(room: string, eventId: string): Promise<void> {
    while (!this.timeline(room).some((event) => event.event_id === eventId)) await this.#sync(1000);
  }

  /** Syncs once; the first time gives everything. */
  async #sync(timeoutMs: number): Promise<true> {
    const since = this.#since === "" ? "" : `&since=${this.#since}`;
    const path = `${client}/sync?filter=${filter}&timeout=${timeoutMs}${since}`;
    const { status, body } = await this.#user.get(path, "sync");
    if (status !== 200) throw new Error(`sync answered ${status} ${JSON.stringify(body)}`);
    for (const [roomId, room] of Object.entries(objectIn(objectIn(body, "rooms"), "join"))) {
      const timeline = objectIn(room, "timeline");
      if (timeline["limited"] === true) throw new Error(`the timeline of ${roomId} has a gap at ${since}`);
      const known = this.#timelines.get(roomId) ?? [];
      known.push(...(eventsIn(timeline, "events") as RoomEventJson[]));
      this.#timelines.set(roomId, known);
    }
    this.toDevice.push(...eventsIn(objectIn(body, "to_device"), "events"));
    this.#since = String(body["next_batch"]);
    return true;
  }
}

/** The whole history of a room, oldest first, by `/messages`. */
export async function readHistory(user: TestClient, room: string): Promise<RoomEventJson[]> {
  const events: RoomEventJson[] = [];
  let from = "";
  for (let page = 0; page < maxPages; page++) {
    const path = `${client}/rooms/${room}/messages?dir=f&limit=500${from}`;
    const { status, body } = await user.get(path, "getRoomEvents");
    if (status !== 200) throw new Error(`messages answered ${status} ${JSON.stringify(body)}`);
    events.push(...(eventsIn(body, "chunk") as RoomEventJson[]));
    if (typeof body["end"] !== "string") return events;
    from = `&from=${body["end"]}`;
  }
  throw new Error(`the history of ${room} has no end after ${maxPages} pages`);
}

function objectIn(value: unknown, key: string): JsonObject {
  const inner = isJsonObject(value) ? value[key] : undefined;
  return isJsonObject(inner) ? inner : {};
}

function eventsIn(value: unknown, key: string): JsonObject[] {
  const list = isJsonObject(value) ? value[key] : undefined;
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}
