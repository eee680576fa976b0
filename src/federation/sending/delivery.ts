import type { ServerName } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonValue } from "../../protocol/json.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { type FederationClient, FederationError } from "../federation-client.ts";
import { maxPdus } from "./owed-events.ts";
import type { Edu, TransactionTexts } from "./transaction-text.ts";

export interface DeliveryParts {
  readonly client: Pick<FederationClient, "request">;
  readonly texts: Pick<TransactionTexts, "of">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newTransactionId: () => string;
}

export interface Transaction {
  readonly eventNids: readonly number[];
  readonly edus: readonly Edu[];
}

const requestTimeoutMs = 60_000;
/** Of what another server says of events in its answer. */
const maxRefusalLength = 200;

/** Brings transactions to one other server (server-server API, "Transactions"). */
export class Delivery {
  readonly #name: ServerName;
  readonly #parts: DeliveryParts;
  #request: AbortController | undefined;

  constructor(name: ServerName, parts: DeliveryParts) {
    this.#name = name;
    this.#parts = parts;
  }

  /** Breaks off what is under way. */
  abort(): void {
    this.#request?.abort();
  }

  /**
   * Sends a transaction, in halves where it is too large for the server. What it will never take is given up: what comes
   * after that must not wait for ever.
   * @throws FederationError when it is to be sent again
   */
  async send(transaction: Transaction): Promise<void> {
    try {
      this.#logRefusals(await this.#put(transaction));
    } catch (error) {
      if (!(error instanceof FederationError) || isWorthRetrying(error)) throw error;
      const parts = error.status === tooLargeStatus ? halvesOf(transaction) : [];
      for (const part of parts) await this.send(part);
      if (parts.length > 0) return;
      this.#parts.log.warn({ err: error, destination: this.#name }, "a transaction was refused for good");
    }
  }

  /** @throws FederationError */
  async #put({ eventNids, edus }: Transaction): Promise<JsonValue> {
    const { client, texts, clock, newTransactionId } = this.#parts;
    const canonicalBody = await texts.of(eventNids, edus, clock.nowMs());
    this.#request = new AbortController();
    return client.request({
      destination: this.#name,
      method: "PUT",
      uri: `/_matrix/federation/v1/send/${newTransactionId()}`,
      canonicalBody,
      timeoutMs: requestTimeoutMs,
      signal: this.#request.signal,
    });
  }

  #logRefusals(answer: JsonValue): void {
    const results = isJsonObject(answer) ? answer["pdus"] : undefined;
    if (!isJsonObject(results)) return;
    // What it says is logged, but no more of it than a server says that means well.
    for (const [eventId, result] of Object.entries(results).slice(0, maxPdus)) {
      if (!isJsonObject(result) || result["error"] === undefined) continue;
      this.#parts.log.info(
        {
          destination: this.#name,
          eventId: eventId.slice(0, maxRefusalLength),
          error: JSON.stringify(result["error"]).slice(0, maxRefusalLength),
        },
        "an event was refused",
      );
    }
  }
}

/** "Payload Too Large" (RFC 9110). */
const tooLargeStatus = 413;

/** Nothing for what cannot be parted. */
function halvesOf({ eventNids, edus }: Transaction): readonly Transaction[] {
  if (eventNids.length > 0 && edus.length > 0) {
    return [
      { eventNids, edus: [] },
      { eventNids: [], edus },
    ];
  }
  const [middle, middleEdu] = [Math.ceil(eventNids.length / 2), Math.ceil(edus.length / 2)];
  if (eventNids.length + edus.length <= 1) return [];
  return [
    { eventNids: eventNids.slice(0, middle), edus: edus.slice(0, middleEdu) },
    { eventNids: eventNids.slice(middle), edus: edus.slice(middleEdu) },
  ];
}

/** Requests that a server refuses for now, though nothing is wrong with them. */
const passingStatuses: readonly number[] = [401, 404, 408, 429];

/**
 * As other servers do: an answer that says the request is wrong will be the same the next time. A redirect says nothing of
 * it: it comes from something in front of the server.
 */
function isWorthRetrying({ failure, status = 0 }: FederationError): boolean {
  const saysWrong = failure === "refused" && status >= 400 && status < 500;
  return !saysWrong || passingStatuses.includes(status);
}
