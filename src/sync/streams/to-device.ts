import { boundedCache } from "../../cache/bounded-cache.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { ToDeviceStore } from "../../storage/to-device.ts";
import type { SyncDevice } from "../sync-request.ts";

const cachedUsers = 20_000;
/** What one answer brings; the rest follows in the next. */
const maxMessages = 100;

export interface ToDeviceMessages {
  /** Events as JSON. */
  readonly events: readonly string[];
  /** Up to where they have been read: less than what was asked for when there are too many for one answer. */
  readonly upTo: number;
}

/** `to_device` of /sync (client-server API, "Send-to-Device messaging"). */
export class ToDeviceStream {
  readonly #store: ToDeviceStore;
  /** By user: the devices for which nothing is stored. Every request would ask storage otherwise. */
  readonly #empty = boundedCache<number, Set<string>>(cachedUsers);

  constructor(store: ToDeviceStore) {
    this.#store = store;
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, nid } of changes) if (stream === "toDevice") this.#empty.delete(nid);
  };

  /** Forgets what the client has got: it has come back with the token of that answer. */
  async acknowledge({ userNid, deviceId }: SyncDevice, since: number): Promise<void> {
    const empty = this.#empty.get(userNid) ?? new Set<string>();
    if (empty.has(deviceId)) return;
    // Kept before storage is asked: a message that comes meanwhile takes it away again.
    this.#empty.set(userNid, empty);
    if (await this.#store.hasUpTo(userNid, deviceId, since)) {
      await this.#store.deleteUpTo(userNid, deviceId, since);
    } else if (!(await this.#store.hasUpTo(userNid, deviceId, Number.MAX_SAFE_INTEGER))) {
      empty.add(deviceId);
    }
  }

  /** @param limit fewer come when that is too many for one answer */
  async messages(
    { userNid, deviceId }: SyncDevice,
    since: number,
    upTo: number,
    limit = maxMessages,
  ): Promise<ToDeviceMessages> {
    if (limit === 0) return { events: [], upTo: since };
    const most = Math.min(limit, maxMessages);
    const messages = await this.#store.messagesFor(userNid, deviceId, since, upTo, most);
    const last = messages.length < most ? undefined : messages.at(-1);
    return { events: messages.map(({ event }) => event), upTo: last?.position ?? upTo };
  }
}
