import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { withinTime } from "../../concurrency/within-time.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { hostsPath, parseHosts, type Hosts } from "./hosts-file.ts";
import { NameServers } from "./name-servers.ts";
import { SystemFile } from "./system-file.ts";

export interface HostResolverParts {
  readonly clock: Clock;
  readonly nameServers?: NameServers;
  readonly hostsFile?: string;
  /** The operating system's own way to find names. */
  readonly systemLookup?: (hostname: string) => Promise<readonly LookupAddress[]>;
}

/** Name servers do not know the name, or there are none: the operating system may know it by other means. */
const unknownCodes: readonly unknown[] = ["ENOTFOUND", "ENODATA", "ECONNREFUSED"];
/** What some say of names that are not looked for in the DNS, such as systemd-resolved of names without a dot. */
const refusedCodes: readonly unknown[] = ["ESERVFAIL", "EREFUSED", "ENOTIMP"];
/** For addresses of IPv6, once there are some of IPv4: some name servers never answer when they are asked for them. */
const patienceMs = 1_000;

/**
 * Finds the addresses of hosts. The operating system's own function (getaddrinfo) would hold up a thread of the pool of
 * Node.js for each name until there is an answer, and two at a time is all that the pool has for that: every name would
 * wait for those that nobody answers for. Questions to name servers take no thread. So the operating system is asked only
 * for what they do not know: names of search domains, of the local network.
 */
export class HostResolver {
  readonly #clock: Clock;
  readonly #nameServers: NameServers;
  readonly #hosts: SystemFile<Hosts>;
  readonly #systemLookup: (hostname: string) => Promise<readonly LookupAddress[]>;

  constructor({ clock, nameServers, hostsFile = hostsPath, systemLookup = lookupAll }: HostResolverParts) {
    this.#clock = clock;
    this.#nameServers = nameServers ?? new NameServers(clock);
    this.#hosts = new SystemFile(hostsFile, parseHosts, clock);
    this.#systemLookup = systemLookup;
  }

  /**
   * The addresses of a host name, those of IPv4 first: where there is no IPv6 they are not tried in vain.
   * @throws Error when there are none, or nobody can tell
   */
  readonly resolve = async (hostname: string): Promise<readonly LookupAddress[]> => {
    const listed = this.#hosts.value.get(hostname.toLowerCase());
    if (listed) return listed;
    const answers = await this.#ask(hostname);
    // Some name servers fail on one of the questions only.
    const addresses = answers.flatMap((answer, index) =>
      answer.status === "fulfilled"
        ? answer.value.map((address) => ({ address, family: index === 0 ? 4 : 6 }))
        : [],
    );
    if (addresses.length > 0) return addresses;
    const unknown = isLocal(hostname) ? [...unknownCodes, ...refusedCodes] : unknownCodes;
    const failure = answers.find(
      (answer) => answer.status === "rejected" && !hasCode(answer.reason, unknown),
    );
    if (failure?.status === "rejected") throw failure.reason;
    return this.#systemLookup(hostname);
  };

  /** What name servers say of addresses of IPv4, and then of IPv6. */
  async #ask(hostname: string): Promise<readonly PromiseSettledResult<readonly string[]>[]> {
    const { resolver } = this.#nameServers;
    const asked = Promise.allSettled([resolver.resolve6(hostname)]);
    const [ipv4] = await Promise.allSettled([resolver.resolve4(hostname)]);
    const isPatient = ipv4.status !== "fulfilled";
    return [ipv4, ...(await (isPatient ? asked : withinTime(this.#clock, patienceMs, asked, [])))];
  }
}

/**
 * Whether a name may be one of the local network only: one without a dot, for which there are search lists (RFC 1034), or
 * one of mDNS (RFC 6762).
 */
function isLocal(hostname: string): boolean {
  return !hostname.includes(".") || hostname.toLowerCase().endsWith(".local");
}

function hasCode(error: unknown, codes: readonly unknown[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(error.code);
}

function lookupAll(hostname: string): Promise<LookupAddress[]> {
  return lookup(hostname, { all: true });
}
