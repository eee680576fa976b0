import type { Clock } from "../telemetry/clock.ts";
import type { EndedFederationRequest, Observed } from "../telemetry/observations.ts";
import {
  type FederationAnswer,
  type FederationClient,
  FederationError,
  type FederationRequest,
} from "./federation-client.ts";

/** Tells what becomes of requests to other servers. */
export class ObservedFederationClient implements FederationClient {
  readonly #client: FederationClient;
  readonly #observed: Observed<EndedFederationRequest>;
  readonly #clock: Clock;

  constructor(client: FederationClient, observed: Observed<EndedFederationRequest>, clock: Clock) {
    this.#client = client;
    this.#observed = observed;
    this.#clock = clock;
  }

  request(request: FederationRequest) {
    return this.#observe(() => this.#client.request(request));
  }

  stream<Result>(
    request: Omit<FederationRequest, "maxResponseBytes">,
    read: (answer: FederationAnswer) => Promise<Result>,
  ): Promise<Result> {
    return this.#observe(() => this.#client.stream(request, read));
  }

  async #observe<Result>(request: () => Promise<Result>): Promise<Result> {
    const startMs = this.#clock.monotonicMs();
    const tell = (outcome: EndedFederationRequest["outcome"]) =>
      this.#observed.tell({ outcome, durationMs: this.#clock.monotonicMs() - startMs });
    try {
      const result = await request();
      tell("answered");
      return result;
    } catch (error) {
      if (error instanceof FederationError) tell(error.failure);
      throw error;
    }
  }
}
