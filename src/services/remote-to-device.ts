import type { JsonObject } from "../protocol/json.ts";
import type { ServerName, UserId } from "../protocol/identifiers.ts";
import type { RemoteToDevice } from "../storage/to-device.ts";

/** Servers take larger ones, but for few messages more: a large room's keys go in several. */
const softMaxEduBytes = 64 * 1024;

interface OpenEdu {
  readonly messages: Map<UserId, [deviceId: string, content: string][]>;
  sizeBytes: number;
}

/** Gathers the messages of one request for users of other servers (server-server API, "Send-to-device messaging"). */
export class RemoteToDeviceMessages {
  readonly #sender: UserId;
  readonly #type: string;
  readonly #newMessageId: () => string;
  readonly #open = new Map<ServerName, OpenEdu>();
  readonly #full: RemoteToDevice[] = [];

  /** @param newMessageId a text that no other message of this server has, of at most 32 characters */
  constructor(sender: UserId, type: string, newMessageId: () => string) {
    this.#sender = sender;
    this.#type = type;
    this.#newMessageId = newMessageId;
  }

  /** @param deviceId one device, or `*` for all that the user's server knows */
  add(server: ServerName, userId: UserId, deviceId: string, content: JsonObject): void {
    const text = JSON.stringify(content);
    const sizeBytes = Buffer.byteLength(text);
    let edu = this.#open.get(server);
    if (edu && edu.sizeBytes + sizeBytes > softMaxEduBytes) {
      this.#full.push(this.#written(server, edu));
      edu = undefined;
    }
    edu ??= { messages: new Map(), sizeBytes: 0 };
    this.#open.set(server, edu);
    const ofUser = edu.messages.get(userId) ?? [];
    ofUser.push([deviceId, text]);
    edu.messages.set(userId, ofUser);
    edu.sizeBytes += sizeBytes + deviceId.length + (ofUser.length === 1 ? userId.length : 0);
  }

  /** The contents of EDUs, in the order in which they are to be sent. */
  get edus(): readonly RemoteToDevice[] {
    return [...this.#full, ...[...this.#open].map(([server, edu]) => this.#written(server, edu))];
  }

  #written(serverName: ServerName, { messages }: OpenEdu): RemoteToDevice {
    const users = [...messages].map(([userId, devices]) => {
      const members = devices.map(([deviceId, content]) => `${JSON.stringify(deviceId)}:${content}`);
      return `${JSON.stringify(userId)}:{${members.join(",")}}`;
    });
    const header = { sender: this.#sender, type: this.#type, message_id: this.#newMessageId() };
    const content = `${JSON.stringify(header).slice(0, -1)},"messages":{${users.join(",")}}}`;
    return { serverName, content };
  }
}
