import type { SrvRecord } from "node:dns";
import { boundedCache } from "../../cache/bounded-cache.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import { parseServerName, type ServerNameParts } from "../../protocol/server-name.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { ServerDns } from "./server-dns.ts";
import { srvOrder } from "./srv-order.ts";
import { isUsablePort, type WellKnownServers } from "./well-known.ts";

/** Where something of a server can be connected to. */
export interface ServerAddress {
  /** A host name, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** How another server is reached. */
export interface ResolvedServer {
  /** In the order in which they are to be tried. */
  readonly addresses: readonly ServerAddress[];
  /** The `Host` header of requests. */
  readonly hostHeader: string;
  /** What the server's certificate has to be for. */
  readonly certifiedName: string;
}

export interface ServerResolverParts {
  readonly dns: ServerDns;
  readonly wellKnown: Pick<WellKnownServers, "of" | "doubt">;
  readonly clock: Clock;
  /** A number from 0 up to, but without, 1. */
  readonly random: () => number;
  /** Where servers are that say nothing of their port: 8448, unless a test says otherwise. */
  readonly defaultPort?: number;
}

const federationPort = 8448;
const cachedServers = 20_000;
/** SRV records are asked for again after this. */
const lifetimeMs = 5 * 60_000;

/** Finds out how servers are reached (server-server API, "Resolving server names"; the steps are those of its list). */
export class ServerResolver {
  readonly #parts: ServerResolverParts;
  readonly #defaultPort: number;
  readonly #cache = boundedCache<string, { readonly server: ResolvedServer; readonly untilMs: number }>(
    cachedServers,
  );

  constructor(parts: ServerResolverParts) {
    this.#parts = parts;
    this.#defaultPort = parts.defaultPort ?? federationPort;
  }

  /** `undefined` for a name by which no server can be reached. */
  async resolve(serverName: ServerName): Promise<ResolvedServer | undefined> {
    const { clock, wellKnown } = this.#parts;
    const known = this.#cache.get(serverName);
    if (known && known.untilMs > clock.monotonicMs()) return known.server;
    const parts = parseServerName(serverName);
    if (!parts || !isUsablePort(parts.port)) return undefined;
    // 1., 2.
    if (isDirect(parts)) return this.#direct(serverName, parts);
    // 3.
    const delegate = await wellKnown.of(parts.host);
    const named = delegate ?? { name: serverName, parts };
    // 3.1., 3.2.; otherwise 3.3. to 3.5., or 4. to 6.
    if (isDirect(named.parts)) return this.#direct(named.name, named.parts);
    return this.#byRecords(serverName, named.parts.host);
  }

  /** To be called when nobody answers where a server was found. */
  doubt(serverName: ServerName): void {
    this.#cache.delete(serverName);
    const parts = parseServerName(serverName);
    if (parts && !isDirect(parts)) this.#parts.wellKnown.doubt(parts.host);
  }

  #direct(hostHeader: string, { host, port }: ServerNameParts): ResolvedServer {
    return { addresses: [{ host, port: port ?? this.#defaultPort }], hostHeader, certifiedName: host };
  }

  async #byRecords(serverName: ServerName, host: string): Promise<ResolvedServer> {
    const { clock, random } = this.#parts;
    const records = await this.#records(host);
    const addresses = srvOrder(records ?? [], random)
      // RFC 2782: "A Target of "." means that the service is decidedly not available at this domain."
      .filter(({ name }) => name !== "" && name !== ".")
      .map(({ name, port }) => ({ host: name, port }));
    if (!records || records.length === 0) addresses.push({ host, port: this.#defaultPort });
    const server = { addresses, hostHeader: host, certifiedName: host };
    if (records) this.#cache.set(serverName, { server, untilMs: clock.monotonicMs() + lifetimeMs });
    return server;
  }

  /** The records of the one service, or else of that which it had before; `undefined` when nobody can tell. */
  async #records(host: string): Promise<readonly SrvRecord[] | undefined> {
    const { dns } = this.#parts;
    try {
      const records = await dns.srv(`_matrix-fed._tcp.${host}`);
      return records.length > 0 ? records : await dns.srv(`_matrix._tcp.${host}`);
    } catch (error) {
      // Many resolvers fail on such records without there being any. The certificate shows whether it is the right server.
      if (error instanceof Error && "code" in error) return undefined;
      throw error;
    }
  }
}

/** Whether a name says by itself where to connect. */
function isDirect({ kind, port }: ServerNameParts): boolean {
  return kind !== "dns" || port !== undefined;
}
