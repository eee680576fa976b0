import { boundedCache } from "../../cache/bounded-cache.ts";
import { encodeCanonicalJson, encodeJsonString } from "../../protocol/canonical-json.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { pduOf } from "../../state/event-text.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { RoomIndex } from "../../state/room-index.ts";

export interface Edu {
  readonly type: string;
  readonly content: JsonObject;
}

/** An event goes to all servers of its room, one shortly after the other. */
const cachedPdus = 2_000;

/** Makes the texts of transactions (server-server API, "Transactions"). */
export class TransactionTexts {
  readonly #serverName: string;
  readonly #events: Pick<EventReader, "stored">;
  readonly #rooms: RoomIndex;
  readonly #pdus = boundedCache<number, string>(cachedPdus);
  /** An EDU goes to many servers, too. */
  readonly #edus = new WeakMap<Edu, string>();

  constructor(serverName: string, events: Pick<EventReader, "stored">, rooms: RoomIndex) {
    this.#serverName = serverName;
    this.#events = events;
    this.#rooms = rooms;
  }

  /** A transaction as canonical JSON. */
  async of(eventNids: readonly number[], edus: readonly Edu[], nowMs: number): Promise<string> {
    const pdus: string[] = [];
    for (const eventNid of eventNids) pdus.push(await this.#pdu(eventNid));
    const eduTexts = edus.map((edu) => this.#edu(edu));
    return (
      `{"edus":[${eduTexts.join(",")}],"origin":${encodeJsonString(this.#serverName)},` +
      `"origin_server_ts":${nowMs},"pdus":[${pdus.join(",")}]}`
    );
  }

  #edu(edu: Edu): string {
    const known = this.#edus.get(edu);
    if (known !== undefined) return known;
    const text = encodeCanonicalJson({ content: edu.content, edu_type: edu.type }, { strict: false });
    this.#edus.set(edu, text);
    return text;
  }

  async #pdu(eventNid: number): Promise<string> {
    const known = this.#pdus.get(eventNid);
    if (known !== undefined) return known;
    const stored = await this.#events.stored(eventNid);
    const { version } = await this.#rooms.byNid(stored.roomNid);
    const strict = version.strictCanonicalJson;
    const text = encodeCanonicalJson(pduOf(stored, strict), { strict });
    // What has been redacted since is sent as it is now; what is redacted later is forgotten with the next events.
    if (stored.redactedBy === null) this.#pdus.set(eventNid, text);
    return text;
  }
}
