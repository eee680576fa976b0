import { BlockList, isIP } from "node:net";

/**
 * IPv4 addresses that are not of the public internet (RFC 6890 and IANA's registry of special-purpose addresses): this
 * machine, private and shared networks, link-local (cloud metadata), documentation, benchmarks, multicast, reserved.
 */
const specialIpv4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
];

/** All that IPv6 has given out as global unicast; what else there is, is local, multicast or reserved. */
const globalIpv6 = "2000::/3";
/** The exceptions: protocol assignments with Teredo, documentation, and 6to4, which tunnels to any IPv4 address. */
const specialIpv6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];
/** The well-known prefix with which NAT64 reaches IPv4 (RFC 6052). */
const nat64 = "64:ff9b::/96";
const ipv4Mapped = "::ffff:0:0/96";

/** Decides which addresses may be connected to, so that nobody uses the server to reach into its own network. */
export class AddressFilter {
  readonly #allowed: BlockList;
  readonly #special = blockList(specialIpv4, specialIpv6);
  readonly #global = blockList([globalIpv6]);
  readonly #embedding = blockList([nat64, ipv4Mapped]);

  /** @param allowedRanges IP addresses or ranges, such as 10.0.0.0/8, that are let pass though they are not public */
  constructor(allowedRanges: readonly string[]) {
    this.#allowed = blockList(allowedRanges);
  }

  /** Whether an IP address may be connected to. What is no IP address may not. */
  allows(address: string): boolean {
    const family = isIP(address);
    if (family === 4) return this.#allowsIpv4(address);
    // A zone, as in fe80::1%eth0, belongs to addresses of the local link.
    if (family !== 6 || address.includes("%")) return false;
    if (this.#embedding.check(address, "ipv6")) return this.#allowsIpv4(embeddedIpv4(address));
    if (this.#allowed.check(address, "ipv6")) return true;
    return this.#global.check(address, "ipv6") && !this.#special.check(address, "ipv6");
  }

  #allowsIpv4(address: string): boolean {
    return this.#allowed.check(address, "ipv4") || !this.#special.check(address, "ipv4");
  }
}

function blockList(...ranges: readonly (readonly string[])[]): BlockList {
  const list = new BlockList();
  for (const range of ranges.flat()) {
    const [address = "", prefix] = range.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

/** The last 32 bits of an IPv6 address, as an IPv4 address. */
function embeddedIpv4(address: string): string {
  // URLs write IPv6 addresses in one way: dotted endings become groups of digits, and zeros are shortened.
  const { hostname } = new URL(`http://[${address}]`);
  const groups = hostname.slice(1, -1).split(":");
  const [high = 0, low = 0] = groups.slice(-2).map((group) => Number.parseInt(group || "0", 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
