import type { ServerName } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import { type FederationClient, FederationError, type FederationRequest } from "../federation-client.ts";
import { documentsFromNotary, type KeySource } from "./keyring.ts";

const timeoutMs = 10_000;

/** Asks other servers for keys; failures are answers without any. */
export class RemoteKeySource implements KeySource {
  readonly #client: FederationClient;
  readonly #notaries: readonly ServerName[];

  /** @param notaries servers that are trusted to tell the keys of others, in the order in which they are asked */
  constructor(client: FederationClient, notaries: readonly ServerName[]) {
    this.#client = client;
    this.#notaries = notaries;
  }

  fromServer(serverName: ServerName): Promise<JsonValue | undefined> {
    return this.#ask({ destination: serverName, method: "GET", uri: "/_matrix/key/v2/server" });
  }

  async fromNotaries(
    serverName: ServerName,
    keyIds: readonly string[],
    minimumValidUntilTs: number,
  ): Promise<JsonValue[]> {
    const criteria = keyIds.map((keyId) => [keyId, { minimum_valid_until_ts: minimumValidUntilTs }]);
    const body = { server_keys: { [serverName]: Object.fromEntries(criteria) as JsonObject } };
    for (const destination of this.#notaries) {
      if (destination === serverName) continue;
      const answer = await this.#ask({ destination, method: "POST", uri: "/_matrix/key/v2/query", body });
      const documents = isJsonObject(answer) ? documentsFromNotary(answer, serverName) : [];
      if (documents.length > 0) return documents;
    }
    return [];
  }

  async #ask(request: FederationRequest): Promise<JsonValue | undefined> {
    try {
      return await this.#client.request({ ...request, isSigned: false, timeoutMs });
    } catch (error) {
      if (error instanceof FederationError) return undefined;
      throw error;
    }
  }
}
