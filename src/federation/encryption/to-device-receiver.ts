import { parseUserId, type ServerName, serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import { inboxBound, maxTypeBytes, toDeviceEvent } from "../../services/to-device.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { ToDeviceMessage, ToDeviceStore } from "../../storage/to-device.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";

export interface ToDeviceReceiverParts {
  readonly ownName: ServerName;
  readonly store: Pick<ToDeviceStore, "receive">;
  readonly names: NameCache;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Header {
  readonly sender: UserId;
  readonly type: string;
  readonly messageId: string;
  readonly messages: JsonObject;
}

/** Longer than any that servers make, though the specification wants no more than 32 characters. */
const maxMessageIdLength = 255;
/** What one EDU may deliver; servers send one for each request of a client at most. */
const maxMessages = 5_000;
const lifetimeMs = 30 * 24 * 60 * 60 * 1000;

/** Takes messages to devices from other servers (server-server API, "Send-to-device messaging"). */
export class ToDeviceReceiver {
  readonly #parts: ToDeviceReceiverParts;

  constructor(parts: ToDeviceReceiverParts) {
    this.#parts = parts;
  }

  /**
   * Delivers the messages of an `m.direct_to_device` EDU; they have been stored when this returns. One that has come
   * before is passed over, and so is what is not for a user of this server.
   * @throws StorageError
   */
  readonly receive = async (origin: ServerName, content: JsonObject): Promise<void> => {
    const header = headerOf(origin, content);
    if (!header) return;
    const messages = await this.#messagesOf(header);
    if (messages.length === 0) return;
    const nowMs = this.#parts.clock.nowMs();
    const { full } = await this.#parts.store.receive(
      { origin, messageId: header.messageId, receivedTs: nowMs, forgetBeforeTs: nowMs - lifetimeMs },
      messages,
      inboxBound,
    );
    const [first] = full;
    if (!first) return;
    const details = { ...first, origin, devices: full.length };
    this.#parts.log.warn(details, "a full inbox did not take a message of another server");
  };

  async #messagesOf({ sender, type, messages }: Header): Promise<ToDeviceMessage[]> {
    const found: ToDeviceMessage[] = [];
    for (const [userId, devices] of Object.entries(messages)) {
      const userNid = await this.#localUser(userId);
      if (userNid === undefined || !isJsonObject(devices)) continue;
      for (const [deviceId, message] of Object.entries(devices)) {
        const event = eventOf(type, sender, message);
        if (event === undefined) continue;
        found.push({ userNid, deviceId, event });
        if (found.length === maxMessages) return found;
      }
    }
    return found;
  }

  async #localUser(text: string): Promise<number | undefined> {
    const { ownName, names } = this.#parts;
    const userId = parseUserId(text);
    return userId && serverNameOf(userId) === ownName ? names.findUser(userId) : undefined;
  }
}

/** "User ID of the sender": nobody else's but one of the server that sends. */
function headerOf(origin: ServerName, content: JsonObject): Header | undefined {
  const { sender, type, message_id: messageId, messages } = content;
  if (typeof sender !== "string" || typeof type !== "string" || typeof messageId !== "string")
    return undefined;
  const userId = parseUserId(sender);
  if (!userId || serverNameOf(userId) !== origin || !isJsonObject(messages)) return undefined;
  if (messageId.length > maxMessageIdLength || Buffer.byteLength(type) > maxTypeBytes) return undefined;
  return { sender: userId, type, messageId, messages };
}

function eventOf(type: string, sender: UserId, message: JsonValue): string | undefined {
  return isJsonObject(message) ? toDeviceEvent(type, sender, message) : undefined;
}
