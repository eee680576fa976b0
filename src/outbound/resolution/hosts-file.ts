import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";

/** The addresses of names, which are in lower case. */
export type Hosts = ReadonlyMap<string, readonly LookupAddress[]>;

/** Where the operating system has it. */
export const hostsPath =
  process.platform === "win32" ? "C:\\Windows\\System32\\drivers\\etc\\hosts" : "/etc/hosts";

/** Reads a hosts file (hosts(5)): an address and its names in each line; what is none is passed over. */
export function parseHosts(text: string): Hosts {
  const hosts = new Map<string, LookupAddress[]>();
  for (const line of text.split("\n")) {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    const family = isIP(address);
    if (family === 0) continue;
    for (const name of new Set(names.map((each) => each.toLowerCase()))) {
      const addresses = hosts.get(name) ?? [];
      addresses.push({ address, family });
      hosts.set(name, addresses);
    }
  }
  return hosts;
}
