import type { JsonObject } from "../protocol/json.ts";
import { parseUserId, type ServerName, serverNameOf, type UserId } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { FullInbox, ToDeviceMessage, ToDeviceStore } from "../storage/to-device.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";

/** By user and device ID (or `*`), the content of the message. */
export type MessagesByDevice = Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;

/** Who sends, in which request. */
export interface ToDeviceRequest {
  readonly userNid: number;
  readonly userId: UserId;
  readonly deviceId: string;
  readonly eventType: string;
  readonly transactionId: string;
}

/** Months of absence in busy rooms. What waits is never pushed out by what comes: it may be the key of a conversation. */
const maxWaiting = 100_000;
/** As much as an event of a room may have; other servers take no more either. */
const maxEventBytes = 64 * 1024;
const maxTypeBytes = 255;
const maxTransactionIdBytes = 255;
/** One write delivers a whole request. */
const maxMessages = 2_000;
const transactionLifetimeMs = 24 * 60 * 60 * 1000;

/** Messages between devices that are no part of any room (client-server API, "Send-to-Device messaging"). */
export class ToDevice {
  readonly #store: ToDeviceStore;
  readonly #names: NameCache;
  readonly #serverName: ServerName;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(store: ToDeviceStore, names: NameCache, serverName: ServerName, clock: Clock, log: Logger) {
    this.#store = store;
    this.#names = names;
    this.#serverName = serverName;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Sends one message to each device; users and devices that do not exist get none. A repeated request sends nothing.
   * @throws MatrixError M_INVALID_PARAM, M_TOO_LARGE, M_LIMIT_EXCEEDED when every inbox is full.
   */
  async send(request: ToDeviceRequest, messagesByDevice: MessagesByDevice): Promise<void> {
    checkLength("event type", request.eventType, maxTypeBytes);
    checkLength("transaction ID", request.transactionId, maxTransactionIdBytes);
    const messages = await this.#messages(request, messagesByDevice);
    const nowTs = this.#clock.nowMs();
    const { delivered, full } = await this.#store.send(messages, maxWaiting, {
      userNid: request.userNid,
      deviceId: request.deviceId,
      eventType: request.eventType,
      transactionId: request.transactionId,
      createdTs: nowTs,
      forgetBeforeTs: nowTs - transactionLifetimeMs,
    });
    this.#report(full);
    if (full.length === 0 || delivered > 0) return;
    throw new MatrixError(
      "M_LIMIT_EXCEEDED",
      `Too many messages wait for the device already: it takes no more than ${maxWaiting}`,
    );
  }

  async #messages(request: ToDeviceRequest, byDevice: MessagesByDevice): Promise<ToDeviceMessage[]> {
    const messages: ToDeviceMessage[] = [];
    for (const [text, devices] of Object.entries(byDevice)) {
      const userNid = await this.#localUser(text);
      for (const [deviceId, content] of Object.entries(devices)) {
        if (messages.length === maxMessages) {
          throw new MatrixError("M_TOO_LARGE", `One request may have at most ${maxMessages} messages`);
        }
        const event = eventText(request, content);
        if (userNid !== undefined) messages.push({ userNid, deviceId, event });
      }
    }
    return messages;
  }

  async #localUser(text: string): Promise<number | undefined> {
    const userId = parseUserId(text);
    if (!userId) throw new MatrixError("M_INVALID_PARAM", "Users are named like @name:server");
    if (serverNameOf(userId) === this.#serverName) return this.#names.findUser(userId);
    throw new MatrixError("M_INVALID_PARAM", `Devices of ${serverNameOf(userId)} cannot be reached`);
  }

  #report(full: readonly FullInbox[]): void {
    const [first] = full;
    if (!first) return;
    this.#log.warn({ ...first, devices: full.length, maxWaiting }, "a full inbox did not take a message");
  }
}

function eventText({ eventType, userId }: ToDeviceRequest, content: JsonObject): string {
  const event = JSON.stringify({ type: eventType, sender: userId, content });
  if (Buffer.byteLength(event) <= maxEventBytes) return event;
  throw new MatrixError("M_TOO_LARGE", `A message to a device may have at most ${maxEventBytes} bytes`);
}

function checkLength(name: string, text: string, maxBytes: number): void {
  if (Buffer.byteLength(text) <= maxBytes) return;
  throw new MatrixError("M_INVALID_PARAM", `The ${name} may have at most ${maxBytes} bytes`);
}
