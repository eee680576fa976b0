import type { ClientRequestArgs } from "node:http";
import { Agent, type AgentOptions, request } from "node:https";
import { createSecureContext, getCACertificates } from "node:tls";
import type { AddressFilter } from "./address-filter.ts";
import { type Connected, faultOfLiteral, refuse } from "./filtered-agents.ts";

export { request as httpsRequest };

/** Connects to addresses that the filter allows only, each connection anew. */
export class FilteredHttpsAgent extends Agent {
  readonly #filter: AddressFilter;

  /** @param extraCa certificates (PEM) of authorities to trust beside the usual ones */
  constructor(filter: AddressFilter, options: AgentOptions, extraCa: string | undefined) {
    const ca = extraCa === undefined ? {} : { ca: [...getCACertificates("default"), extraCa] };
    // Made once: the agent would read all certificates with each connection, and compare them with each request.
    super({ ...options, secureContext: createSecureContext(ca) });
    this.#filter = filter;
  }

  override createConnection(options: ClientRequestArgs, connected: Connected) {
    const fault = faultOfLiteral(this.#filter, options.host);
    return fault ? refuse(fault, connected) : super.createConnection(options, connected);
  }
}
