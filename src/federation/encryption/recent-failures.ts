import { boundedCache } from "../../cache/bounded-cache.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import type { Clock } from "../../telemetry/clock.ts";

/** Clients ask again after some seconds: then somebody waits once more. */
const restMs = 15_000;
const rememberedServers = 5_000;

/** Servers that could not be reached a moment ago: nobody else has to wait for that in vain meanwhile. */
export class RecentFailures {
  readonly #clock: Clock;
  /** Until when, on the monotonic clock. */
  readonly #until = boundedCache<ServerName, number>(rememberedServers);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(server: ServerName): boolean {
    return (this.#until.get(server) ?? 0) > this.#clock.monotonicMs();
  }

  add(server: ServerName): void {
    this.#until.set(server, this.#clock.monotonicMs() + restMs);
  }

  /** To be called when the server has been heard of. */
  delete(server: ServerName): void {
    this.#until.delete(server);
  }
}
