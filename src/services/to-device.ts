import type { JsonObject } from "../protocol/json.ts";
import { parseUserId, type ServerName, serverNameOf, type UserId } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type {
  Delivery,
  InboxBound,
  RemoteToDevice,
  ToDeviceMessage,
  ToDeviceStore,
} from "../storage/to-device.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { RandomBytes } from "../telemetry/random.ts";
import { RemoteToDeviceMessages } from "./remote-to-device.ts";

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

/** Sends what has been stored for other servers. */
export interface RemoteDevices {
  /** Whether this server talks with another at all. */
  mayReach(serverName: ServerName): boolean;
  toDeviceWaits(servers: Iterable<string>): void;
}

export interface ToDeviceParts {
  readonly store: Pick<ToDeviceStore, "send">;
  readonly names: NameCache;
  readonly serverName: ServerName;
  /** Absent where this server talks to no others. */
  readonly remote: RemoteDevices | undefined;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly log: Logger;
}

interface Messages {
  readonly local: readonly ToDeviceMessage[];
  readonly remote: readonly RemoteToDevice[];
}

/**
 * Months of absence in busy rooms: the keys of conversations take some 2 KiB each. What waits is never pushed out by what
 * comes, or anybody could make a device lose them.
 */
export const inboxBound: InboxBound = { maxMessages: 100_000, maxBytes: 256 * 1024 * 1024 };
/** As much as an event of a room may have; other servers take no more either. */
const maxEventBytes = 64 * 1024;
export const maxTypeBytes = 255;
const maxTransactionIdBytes = 255;
/** One write delivers a whole request. */
const maxMessages = 2_000;
const transactionLifetimeMs = 24 * 60 * 60 * 1000;
/** 32 characters: the longest message ID that there is. */
const messageIdBytes = 24;

/** Messages between devices that are no part of any room (client-server API, "Send-to-Device messaging"). */
export class ToDevice {
  readonly #parts: ToDeviceParts;

  constructor(parts: ToDeviceParts) {
    this.#parts = parts;
  }

  /**
   * Sends one message to each device; users and devices that do not exist get none. A repeated request sends nothing.
   * What is for other servers has been stored when this returns, and is sent as soon as they can be reached.
   * @throws MatrixError M_INVALID_PARAM, M_TOO_LARGE, M_LIMIT_EXCEEDED when every inbox is full.
   */
  async send(request: ToDeviceRequest, messagesByDevice: MessagesByDevice): Promise<void> {
    checkLength("event type", request.eventType, maxTypeBytes);
    checkLength("transaction ID", request.transactionId, maxTransactionIdBytes);
    const { store, clock, remote: sender } = this.#parts;
    const { local, remote } = await this.#messages(request, messagesByDevice);
    const nowTs = clock.nowMs();
    const transaction = {
      userNid: request.userNid,
      deviceId: request.deviceId,
      eventType: request.eventType,
      transactionId: request.transactionId,
      createdTs: nowTs,
      forgetBeforeTs: nowTs - transactionLifetimeMs,
    };
    const delivery = await store.send(local, inboxBound, transaction, remote);
    sender?.toDeviceWaits(new Set(remote.map(({ serverName }) => serverName)));
    this.#report(delivery);
    if (delivery.delivered > 0 || delivery.full.length + delivery.fullServers.length === 0) return;
    throw new MatrixError(
      "M_LIMIT_EXCEEDED",
      `Too much waits for the device already: it takes no more than ${inboxBound.maxMessages} messages, and ${inboxBound.maxBytes} bytes of them`,
    );
  }

  async #messages(request: ToDeviceRequest, byDevice: MessagesByDevice): Promise<Messages> {
    const { names, serverName } = this.#parts;
    const local: ToDeviceMessage[] = [];
    const remote = new RemoteToDeviceMessages(request.userId, request.eventType, () => this.#newMessageId());
    let count = 0;
    for (const [text, devices] of Object.entries(byDevice)) {
      const userId = this.#reachable(text);
      const server = serverNameOf(userId);
      const userNid = server === serverName ? await names.findUser(userId) : undefined;
      const isRemote = server !== serverName && this.#parts.remote?.mayReach(server);
      for (const [deviceId, content] of Object.entries(devices)) {
        if (++count > maxMessages) {
          throw new MatrixError("M_TOO_LARGE", `One request may have at most ${maxMessages} messages`);
        }
        const event = toDeviceEvent(request.eventType, request.userId, content);
        if (event === undefined) {
          throw new MatrixError(
            "M_TOO_LARGE",
            `A message to a device may have at most ${maxEventBytes} bytes`,
          );
        }
        if (userNid !== undefined) local.push({ userNid, deviceId, event });
        if (isRemote) remote.add(server, userId, deviceId, content);
      }
    }
    return { local, remote: remote.edus };
  }

  #reachable(text: string): UserId {
    const userId = parseUserId(text);
    if (!userId) throw new MatrixError("M_INVALID_PARAM", "Users are named like @name:server");
    if (this.#parts.remote || serverNameOf(userId) === this.#parts.serverName) return userId;
    throw new MatrixError("M_INVALID_PARAM", `Devices of ${serverNameOf(userId)} cannot be reached`);
  }

  #newMessageId(): string {
    return this.#parts.randomBytes(messageIdBytes).toString("base64url");
  }

  #report({ full, fullServers }: Delivery): void {
    const [first] = full;
    if (first) {
      const details = { ...first, devices: full.length, ...inboxBound };
      this.#parts.log.warn(details, "a full inbox did not take a message");
    }
    if (fullServers.length === 0) return;
    this.#parts.log.warn({ fullServers }, "too many messages to devices wait for servers already");
  }
}

/** A message as its device gets it, as JSON; `undefined` for one that is too large. */
export function toDeviceEvent(type: string, sender: UserId, content: JsonObject): string | undefined {
  const event = JSON.stringify({ type, sender, content });
  return Buffer.byteLength(event) <= maxEventBytes ? event : undefined;
}

function checkLength(name: string, text: string, maxBytes: number): void {
  if (Buffer.byteLength(text) <= maxBytes) return;
  throw new MatrixError("M_INVALID_PARAM", `The ${name} may have at most ${maxBytes} bytes`);
}
