import type { SigningKey } from "../../protocol/ed25519.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject } from "../../protocol/json.ts";
import { signJson } from "../../protocol/json-signing.ts";
import { parseStrictJson } from "../../protocol/strict-json.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { type OldKey, ownKeyDocument } from "./key-document.ts";
import type { Keyring } from "./keyring.ts";

export interface OwnKeysParts {
  readonly serverName: ServerName;
  readonly key: SigningKey;
  readonly oldKeys: readonly OldKey[];
  readonly keyring: Keyring;
  readonly clock: Clock;
}

/** Other servers ask again after this. Within it a stolen key can be used in this server's name. */
const validityMs = 24 * 60 * 60 * 1000;
/** The document is signed anew when so much of its validity is over. */
const renewalMs = 60 * 60 * 1000;

/** Tells other servers this server's keys, and those that it knows of others. */
export class OwnKeys {
  readonly #parts: OwnKeysParts;
  #document: JsonObject | undefined;
  #signedTs = 0;

  constructor(parts: OwnKeysParts) {
    this.#parts = parts;
  }

  /** This server's signed document (server-server API, "Publishing Keys"). */
  document(): JsonObject {
    const { serverName, key, oldKeys, clock } = this.#parts;
    const nowMs = clock.nowMs();
    if (!this.#document || nowMs - this.#signedTs >= renewalMs || nowMs < this.#signedTs) {
      this.#document = ownKeyDocument(serverName, key, oldKeys, nowMs + validityMs);
      this.#signedTs = nowMs;
    }
    return this.#document;
  }

  /**
   * What is known of a server's keys, each document with this server's signature as well (server-server API, "Querying
   * Keys Through Another Server").
   * @param keyIds all that are known when there are none
   */
  async documentsOf(
    serverName: ServerName,
    keyIds: readonly string[],
    minimumValidUntilTs: number,
  ): Promise<JsonObject[]> {
    const { serverName: ownName, key, keyring } = this.#parts;
    if (serverName === ownName) return [this.document()];
    const documents = await keyring.documentsOf(serverName, keyIds, minimumValidUntilTs);
    return documents
      .map((document) => parseStrictJson(document))
      .filter(isJsonObject)
      .map((document) => signJson(document, ownName, key));
  }
}
