import type { ToDeviceStore } from "../../storage/to-device.ts";
import type { SyncDevice } from "../sync-request.ts";

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

  constructor(store: ToDeviceStore) {
    this.#store = store;
  }

  /** Forgets what the client has got: it has come back with the token of that answer. */
  async acknowledge({ userNid, deviceId }: SyncDevice, since: number): Promise<void> {
    if (!(await this.#store.hasUpTo(userNid, deviceId, since))) return;
    await this.#store.deleteUpTo(userNid, deviceId, since);
  }

  async messages({ userNid, deviceId }: SyncDevice, since: number, upTo: number): Promise<ToDeviceMessages> {
    const messages = await this.#store.messagesFor(userNid, deviceId, since, upTo, maxMessages);
    const last = messages.length < maxMessages ? undefined : messages.at(-1);
    return { events: messages.map(({ event }) => event), upTo: last?.position ?? upTo };
  }
}
