import type { NameCache } from "../../storage/name-cache.ts";
import { type ReceiptRow, type ReceiptStore, unthreaded } from "../../storage/receipts.ts";
import type { EphemeralQuery, EphemeralStream } from "./ephemeral.ts";

/**
 * Others' receipts in a room that is new to a client, the newest. Clients show them beside the last events; where very
 * many people have read, the rest is in events that nobody looks at first.
 */
const newestPerRoom = 200;

/** `m.receipt` of /sync (client-server API, "Receipts"). */
export class ReceiptStream implements EphemeralStream {
  readonly stream = "receipts";
  readonly eventType = "m.receipt";
  readonly #store: ReceiptStore;
  readonly #names: NameCache;

  constructor(store: ReceiptStore, names: NameCache) {
    this.#store = store;
    this.#names = names;
  }

  async events(query: EphemeralQuery): Promise<ReadonlyMap<number, string>> {
    const events = new Map<number, string>();
    for (const [roomNid, receipts] of Map.groupBy(await this.#read(query), (row) => row.roomNid)) {
      events.set(roomNid, `{"type":"m.receipt","content":${await receiptContent(receipts, this.#names)}}`);
    }
    return events;
  }

  async #read({ device: { userNid }, roomNids, since, upTo }: EphemeralQuery): Promise<ReceiptRow[]> {
    if (since === undefined) return this.#store.newest(roomNids, userNid, upTo, newestPerRoom);
    const rows: ReceiptRow[] = [];
    for (const roomNid of roomNids) {
      rows.push(...(await this.#store.changedBetween(roomNid, userNid, since, upTo)));
    }
    return rows;
  }
}

/** The content of `m.receipt` as JSON: event to kind to user. */
export async function receiptContent(receipts: readonly ReceiptRow[], names: NameCache): Promise<string> {
  // IDs begin with a sign of their own, so that none of them is taken for `__proto__`.
  const content: Record<string, Record<string, Record<string, object>>> = {};
  for (const { eventId, kind, userNid, ts, thread } of receipts.toSorted(leastTellingFirst)) {
    const ofEvent = (content[eventId] ??= {});
    const ofKind = (ofEvent[kind] ??= {});
    ofKind[await names.userId(userNid)] = thread === unthreaded ? { ts } : { ts, thread_id: thread };
  }
  return JSON.stringify(content);
}

/**
 * There is room for one receipt of a user at an event: one that goes for the whole room says most (MSC4102), then the
 * newest.
 */
function leastTellingFirst(a: ReceiptRow, b: ReceiptRow): number {
  return Number(a.thread === unthreaded) - Number(b.thread === unthreaded) || a.position - b.position;
}
