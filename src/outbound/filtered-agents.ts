import type { LookupAddress } from "node:dns";
import { Agent as HttpAgent, type ClientRequestArgs } from "node:http";
import { isIP, type LookupFunction } from "node:net";
import type { Duplex } from "node:stream";
import type { AddressFilter } from "./address-filter.ts";
import { OutboundError } from "./errors.ts";

/** Finds the addresses of a host name. @throws when there are none */
export type ResolveHost = (hostname: string) => Promise<readonly LookupAddress[]>;

export type Connected = (error: Error | null, stream: Duplex) => void;

/**
 * Resolves names for connections: what is handed out has passed the filter, and it is what is connected to. A name that
 * changes its address afterwards (DNS rebinding) changes nothing.
 */
export function filteredLookup(filter: AddressFilter, resolve: ResolveHost): LookupFunction {
  return (hostname, { all }, callback) => {
    const answer = async () => {
      const found = await allowedAddresses(filter, resolve, hostname);
      if (found instanceof Error) callback(found, "");
      else if (all) callback(null, found.addresses);
      else callback(null, found.first.address, found.first.family);
    };
    void answer();
  };
}

async function allowedAddresses(
  filter: AddressFilter,
  resolve: ResolveHost,
  hostname: string,
): Promise<{ addresses: LookupAddress[]; first: LookupAddress } | Error> {
  try {
    const addresses = (await resolve(hostname)).filter(({ address }) => filter.allows(address));
    const [first] = addresses;
    return first ? { addresses, first } : refused(hostname);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Why a host that is an address may not be connected to; `undefined` when it may, and for names: those are looked up. */
export function faultOfLiteral(filter: AddressFilter, host: string | null | undefined): Error | undefined {
  return isIP(host ?? "") !== 0 && !filter.allows(host ?? "") ? refused(host ?? "") : undefined;
}

/** Connects to addresses that the filter allows only, each connection anew. */
export class FilteredHttpAgent extends HttpAgent {
  readonly #filter: AddressFilter;

  constructor(filter: AddressFilter, options: ConstructorParameters<typeof HttpAgent>[0]) {
    super(options);
    this.#filter = filter;
  }

  override createConnection(options: ClientRequestArgs, connected: Connected) {
    const fault = faultOfLiteral(this.#filter, options.host);
    return fault ? refuse(fault, connected) : super.createConnection(options, connected);
  }
}

/** A throw would reach nobody when the connection is made for a request that has waited for it. */
export function refuse(fault: Error, connected: Connected): undefined {
  const report = connected as (error: Error) => void;
  report(fault);
}

function refused(host: string): OutboundError {
  return new OutboundError("refused-address", `${host} has no address that may be connected to`);
}
