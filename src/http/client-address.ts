import { BlockList, isIP } from "node:net";

/** Reverse proxies whose X-Forwarded-For is believed. */
export class TrustedProxies {
  readonly #ranges = new BlockList();

  /** @param ranges IP addresses, or ranges of them such as 10.0.0.0/8 */
  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [address = "", prefix] = range.split("/");
      const family = isIP(address) === 6 ? "ipv6" : "ipv4";
      if (prefix === undefined) this.#ranges.addAddress(address, family);
      else this.#ranges.addSubnet(address, Number(prefix), family);
    }
  }

  /**
   * The client's address: the nearest one in X-Forwarded-For that is not one of our proxies; the peer's own when the
   * peer is no proxy of ours, or when the header has something else than addresses.
   */
  clientAddress(peerAddress: string, forwardedFor: string | undefined): string {
    const peer = plainAddress(peerAddress);
    if (forwardedFor === undefined || !this.#includes(peer)) return peer;
    const hops = forwardedFor.split(",").map((hop) => plainAddress(hop.trim()));
    const client = hops.findLast((hop) => !this.#includes(hop));
    return client !== undefined && isIP(client) !== 0 ? client : peer;
  }

  #includes(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#ranges.check(address, family === 6 ? "ipv6" : "ipv4");
  }
}

/** An IPv4 address is written as such on sockets that serve IPv6 as well. */
function plainAddress(address: string): string {
  const isMapped = address.startsWith("::ffff:") && address.includes(".");
  return isMapped ? address.slice("::ffff:".length) : address;
}
