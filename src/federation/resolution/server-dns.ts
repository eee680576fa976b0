import type { SrvRecord } from "node:dns";
import { Resolver } from "node:dns/promises";

/** Looks up SRV records. */
export interface ServerDns {
  /**
   * The records of a name, in no order; none when there are none.
   * @throws when nobody can tell
   */
  srv(name: string): Promise<readonly SrvRecord[]>;
}

/** What a resolver says of names that have no such records. */
const absentCodes: readonly unknown[] = ["ENOTFOUND", "ENODATA"];
const timeoutMs = 3_000;
const tries = 2;

/**
 * Asks name servers.
 * @param servers addresses, with ports where they are not 53; those of the operating system unless said otherwise
 */
export function systemServerDns(servers?: readonly string[]): ServerDns {
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  if (servers) resolver.setServers(servers);
  return {
    async srv(name) {
      try {
        return await resolver.resolveSrv(name);
      } catch (error) {
        if (error instanceof Error && "code" in error && absentCodes.includes(error.code)) return [];
        throw error;
      }
    },
  };
}
