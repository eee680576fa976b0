import { Resolver } from "node:dns/promises";
import type { Clock } from "../../telemetry/clock.ts";
import { SystemFile } from "./system-file.ts";

/** For an answer to the first question; the second one is waited for twice as long. */
const timeoutMs = 3_000;
const tries = 2;

/** The name servers of the operating system, whichever they are at the moment. */
export class NameServers {
  readonly #resolver: SystemFile<Resolver>;

  /**
   * @param addresses of other name servers, with ports where they are not 53
   * @param configPath where the operating system names its own
   */
  constructor(clock: Clock, addresses?: readonly string[], configPath = "/etc/resolv.conf") {
    const make = () => {
      // Reads the configuration by itself, wherever that is.
      const resolver = new Resolver({ timeout: timeoutMs, tries });
      if (addresses) resolver.setServers(addresses);
      return resolver;
    };
    this.#resolver = new SystemFile(configPath, make, clock);
  }

  /** To be asked for with each question. */
  get resolver(): Resolver {
    return this.#resolver.value;
  }
}
