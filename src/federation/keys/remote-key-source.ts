import { Turns } from "../../concurrency/turns.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { type FederationClient, FederationError, type FederationRequest } from "../federation-client.ts";
import { documentsFromNotary, type KeySource } from "./keyring.ts";

interface NotaryQuestion {
  readonly serverName: ServerName;
  readonly keyIds: readonly string[];
  readonly minimumValidUntilTs: number;
  readonly resolve: (documents: JsonValue[]) => void;
}

const timeoutMs = 10_000;
/** A room's servers may be thousands, of which many are gone: the others must not wait for those. */
const maxServersAtOnce = 64;
/** What is wanted within so long is asked of a notary in one request. */
const gatherMs = 50;
const maxServersOfQuery = 100;
const maxNotaryBytes = 8 * 1024 * 1024;

/** Asks other servers for keys; failures are answers without any. */
export class RemoteKeySource implements KeySource {
  readonly #client: FederationClient;
  readonly #notaries: readonly ServerName[];
  readonly #clock: Clock;
  #questions: NotaryQuestion[] = [];
  readonly #turns: Turns;

  /** @param notaries servers that are trusted to tell the keys of others, in the order in which they are asked */
  constructor(client: FederationClient, notaries: readonly ServerName[], clock: Clock) {
    this.#client = client;
    this.#notaries = notaries;
    this.#clock = clock;
    this.#turns = new Turns({ maxAtWork: maxServersAtOnce }, clock);
  }

  fromServer(serverName: ServerName): Promise<JsonValue | undefined> {
    return this.#turns.run(() =>
      this.#ask({ destination: serverName, method: "GET", uri: "/_matrix/key/v2/server" }),
    );
  }

  fromNotaries(
    serverName: ServerName,
    keyIds: readonly string[],
    minimumValidUntilTs: number,
  ): Promise<JsonValue[]> {
    return new Promise((resolve) => {
      this.#questions.push({ serverName, keyIds, minimumValidUntilTs, resolve });
      if (this.#questions.length === 1) this.#clock.setTimer(gatherMs, () => this.#askNotaries());
    });
  }

  #askNotaries(): void {
    const questions = this.#questions;
    this.#questions = [];
    for (let start = 0; start < questions.length; start += maxServersOfQuery) {
      void this.#query(questions.slice(start, start + maxServersOfQuery));
    }
  }

  /** Asks one notary after the other for what those before did not know. */
  async #query(questions: readonly NotaryQuestion[]): Promise<void> {
    let left = questions;
    for (const destination of this.#notaries) {
      const asked = left.filter(({ serverName }) => serverName !== destination);
      if (asked.length === 0) continue;
      const body = { server_keys: Object.fromEntries(asked.map(criteriaOf)) };
      const answer = await this.#ask({
        destination,
        method: "POST",
        uri: "/_matrix/key/v2/query",
        body,
        maxResponseBytes: maxNotaryBytes,
      });
      const unanswered: NotaryQuestion[] = left.filter((question) => !asked.includes(question));
      for (const question of asked) {
        const documents = isJsonObject(answer) ? documentsFromNotary(answer, question.serverName) : [];
        if (documents.length > 0) question.resolve(documents);
        else unanswered.push(question);
      }
      left = unanswered;
    }
    for (const { resolve } of left) resolve([]);
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

function criteriaOf({ serverName, keyIds, minimumValidUntilTs }: NotaryQuestion): [ServerName, JsonObject] {
  const criteria = keyIds.map((keyId) => [keyId, { minimum_valid_until_ts: minimumValidUntilTs }]);
  return [serverName, Object.fromEntries(criteria) as JsonObject];
}
