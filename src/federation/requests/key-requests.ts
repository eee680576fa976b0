import type { ServerName, UserId } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import type { FederationClient } from "../federation-client.ts";
import { objectOf } from "./answers.ts";

/** How long an answer is waited for. */
export interface Patience {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const path = "/_matrix/federation/v1/user";
/** A user with hundreds of devices. */
const maxDevicesBytes = 4 * 1024 * 1024;
const maxKeysBytes = 32 * 1024 * 1024;

/** Asks other servers for the keys of their users (server-server API, "Device Management", "End-to-End Encryption"). */
export class KeyRequests {
  readonly #client: FederationClient;

  constructor(client: FederationClient) {
    this.#client = client;
  }

  /** A user's device list, unchecked. @throws FederationError */
  async devices(destination: ServerName, userId: UserId, patience: Patience): Promise<JsonObject> {
    const answer = await this.#client.request({
      destination,
      method: "GET",
      uri: `${path}/devices/${encodeURIComponent(userId)}`,
      maxResponseBytes: maxDevicesBytes,
      ...patience,
    });
    return objectOf(answer);
  }

  /** @param deviceKeys by user the wanted devices. @throws FederationError */
  async query(destination: ServerName, deviceKeys: JsonObject, patience: Patience): Promise<JsonObject> {
    return objectOf(await this.#post(destination, "query", { device_keys: deviceKeys }, patience));
  }

  /** @param oneTimeKeys by user and device the wanted algorithm. @throws FederationError */
  async claim(destination: ServerName, oneTimeKeys: JsonObject, patience: Patience): Promise<JsonObject> {
    return objectOf(await this.#post(destination, "claim", { one_time_keys: oneTimeKeys }, patience));
  }

  #post(destination: ServerName, name: "query" | "claim", body: JsonObject, patience: Patience) {
    return this.#client.request({
      destination,
      method: "POST",
      uri: `${path}/keys/${name}`,
      body,
      maxResponseBytes: maxKeysBytes,
      ...patience,
    });
  }
}
