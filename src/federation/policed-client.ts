import type { JsonValue } from "../protocol/json.ts";
import {
  type FederationAnswer,
  type FederationClient,
  FederationError,
  type FederationRequest,
} from "./federation-client.ts";
import type { ServerPolicy } from "./server-policy.ts";

/** Asks those servers only that the administrator lets this one talk to, whatever it is about. */
export class PolicedFederationClient implements FederationClient {
  readonly #client: FederationClient;
  readonly #policy: ServerPolicy | undefined;

  /** @param policy absent where this server talks to no others */
  constructor(client: FederationClient, policy: ServerPolicy | undefined) {
    this.#client = client;
    this.#policy = policy;
  }

  async request(request: FederationRequest): Promise<JsonValue> {
    this.#check(request);
    return this.#client.request(request);
  }

  async stream<Result>(
    request: Omit<FederationRequest, "maxResponseBytes">,
    read: (answer: FederationAnswer) => Promise<Result>,
  ): Promise<Result> {
    this.#check(request);
    return this.#client.stream(request, read);
  }

  #check({ destination }: Pick<FederationRequest, "destination">): void {
    if (!this.#policy) {
      throw new FederationError("unreachable", "this server does not talk to other servers");
    }
    if (!this.#policy.allows(destination)) {
      throw new FederationError("unreachable", `this server does not talk to ${destination}`);
    }
  }
}
