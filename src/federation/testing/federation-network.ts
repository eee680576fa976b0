import { once } from "node:events";
import type { IncomingMessage, RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Test } from "tap";
import { AddressFilter } from "../../outbound/address-filter.ts";
import { OutboundHttp } from "../../outbound/outbound-http.ts";
import { HostResolver } from "../../outbound/resolution/host-resolver.ts";
import { NameServers } from "../../outbound/resolution/name-servers.ts";
import { DnsServer, type DnsZone } from "../../outbound/testing/dns-server.ts";
import { testCertificate } from "../../outbound/testing/certificate.ts";
import { SigningKey } from "../../protocol/ed25519.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import { type Clock, systemClock } from "../../telemetry/clock.ts";
import { ServerResolver } from "../resolution/server-resolver.ts";
import { serverDns } from "../resolution/server-dns.ts";
import { WellKnownServers } from "../resolution/well-known.ts";
import { SignedFederationClient } from "../signed-client.ts";

/** A request as a server has got it. */
export interface SeenRequest {
  readonly server: string;
  readonly method: string | undefined;
  readonly target: string | undefined;
  readonly host: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** A network of its own: name server, TLS servers with certificates of an authority that is trusted, and who connects. */
export class FederationNetwork {
  readonly dns: DnsServer;
  readonly key = new SigningKey("ed25519:1", Buffer.alloc(32, 3));
  readonly seen: SeenRequest[] = [];
  readonly #t: Test;
  readonly #certificates: string[] = [];

  private constructor(t: Test, dns: DnsServer) {
    this.#t = t;
    this.dns = dns;
  }

  static async open(t: Test, zone: DnsZone = {}): Promise<FederationNetwork> {
    const dns = await DnsServer.open(zone);
    t.teardown(() => dns[Symbol.asyncDispose]());
    return new FederationNetwork(t, dns);
  }

  /**
   * Starts a server that answers every request with its own name, unless it is told otherwise.
   * @param hosts for which its certificate is
   * @returns its port, on all loopback addresses
   */
  async serve(name: string, hosts: readonly string[], listener?: RequestListener): Promise<number> {
    const { key, cert } = testCertificate(...hosts);
    this.#certificates.push(cert);
    const server = createServer({ key, cert }, (request, response) => {
      const answer = async () => {
        await this.#note(name, request);
        if (listener) return listener(request, response);
        response.setHeader("Content-Type", "application/json").end(JSON.stringify({ server: name }));
        return undefined;
      };
      void answer();
    });
    return this.#listen(server);
  }

  /** A client of the network. Make it once all servers are there, whose certificates it trusts. */
  client(
    { wellKnownPort = 1, defaultPort = 1 }: { wellKnownPort?: number; defaultPort?: number } = {},
    clock: Clock = systemClock,
    serverName = "hearth.test",
  ): SignedFederationClient {
    const nameServers = new NameServers(systemClock, [this.dns.address]);
    const http = new OutboundHttp({
      filter: new AddressFilter(["127.0.0.0/8"]),
      clock: systemClock,
      extraCa: this.#certificates.join(""),
      resolve: new HostResolver({ clock: systemClock, nameServers, systemLookup: unknownHost }).resolve,
    });
    this.#t.teardown(() => http[Symbol.dispose]());
    const resolver = new ServerResolver({
      dns: serverDns(nameServers),
      wellKnown: new WellKnownServers(http, clock, wellKnownPort),
      clock,
      random: () => 0.5,
      defaultPort,
    });
    return new SignedFederationClient({
      serverName: serverName as ServerName,
      key: this.key,
      resolver,
      http,
    });
  }

  async #note(server: string, request: IncomingMessage): Promise<void> {
    const { method, url: target, headers } = request;
    const body = await text(request);
    this.seen.push({
      server,
      method,
      target,
      host: headers.host,
      authorization: headers.authorization,
      body,
    });
  }

  async #listen(server: Server): Promise<number> {
    server.listen(0, "0.0.0.0");
    await once(server, "listening");
    this.#t.teardown(() => {
      server.close();
      server.closeAllConnections();
    });
    return (server.address() as AddressInfo).port;
  }
}

/** Whatever else the machine knows is not of this network. */
function unknownHost(hostname: string): Promise<never> {
  return Promise.reject(new Error(`there is no ${hostname}`));
}
