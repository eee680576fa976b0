import { boundedCache } from "../cache/bounded-cache.ts";
import type { ServerName } from "../protocol/identifiers.ts";
import type { Clock } from "../telemetry/clock.ts";
import { FederationError } from "./federation-client.ts";
import type { HeardServers } from "./heard-servers.ts";

interface Rest {
  /** On the monotonic clock. */
  untilMs: number;
  /** When it was last ended because the server had been heard of. */
  heardMs: number;
}

const rememberedServers = 10_000;
/** A server that sends much and answers nothing is not tried as often as it sends. */
const minTryMs = 10_000;

/** Servers that could not be reached a moment ago: nobody else has to wait for that in vain meanwhile. */
export class RestingServers {
  readonly #restMs: number;
  readonly #clock: Clock;
  readonly #rests = boundedCache<ServerName, Rest>(rememberedServers);

  /**
   * @param restMs how long a server is left alone
   * @param heard ends a rest as soon as the server has been heard of
   */
  constructor(restMs: number, clock: Clock, heard?: HeardServers) {
    this.#restMs = restMs;
    this.#clock = clock;
    heard?.follow((server) => this.#heard(server));
  }

  has(server: ServerName): boolean {
    return (this.#rests.get(server)?.untilMs ?? 0) > this.#clock.monotonicMs();
  }

  /** To be called when a server could not be reached. */
  add(server: ServerName): void {
    const { heardMs = Number.NEGATIVE_INFINITY } = this.#rests.get(server) ?? {};
    this.#rests.set(server, { untilMs: this.#clock.monotonicMs() + this.#restMs, heardMs });
  }

  /**
   * Asks a server, unless it rests; one that cannot be reached does so from now on.
   * @throws FederationError, also without asking; and what the asking throws
   */
  async ask<Answer>(server: ServerName, asking: () => Promise<Answer>): Promise<Answer> {
    if (this.has(server)) {
      throw new FederationError("unreachable", `${server} could not be reached a moment ago`);
    }
    try {
      const answer = await asking();
      this.#rests.delete(server);
      return answer;
    } catch (error) {
      if (error instanceof FederationError && error.failure === "unreachable") this.add(server);
      throw error;
    }
  }

  #heard(server: ServerName): void {
    const rest = this.#rests.get(server);
    const nowMs = this.#clock.monotonicMs();
    if (!rest || rest.untilMs <= nowMs || nowMs - rest.heardMs < minTryMs) return;
    rest.untilMs = 0;
    rest.heardMs = nowMs;
  }
}
