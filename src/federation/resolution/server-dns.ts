import type { SrvRecord } from "node:dns";
import type { NameServers } from "../../outbound/resolution/name-servers.ts";

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

/** Asks name servers. */
export function serverDns(nameServers: NameServers): ServerDns {
  return {
    async srv(name) {
      try {
        return await nameServers.resolver.resolveSrv(name);
      } catch (error) {
        if (error instanceof Error && "code" in error && absentCodes.includes(error.code)) return [];
        throw error;
      }
    },
  };
}
