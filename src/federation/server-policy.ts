import type { ServerName } from "../protocol/identifiers.ts";
import { foldCase, Glob } from "../protocol/glob.ts";
import { parseServerName } from "../protocol/server-name.ts";

/** With which servers this one talks, as its administrator wants it. */
export class ServerPolicy {
  readonly #allowed: readonly Glob[] | undefined;
  readonly #denied: readonly Glob[];

  /**
   * @param allowed patterns with `*` and `?`; `undefined` allows all that are not denied
   * @param denied patterns of servers that are out of the question, be they allowed or not
   */
  constructor(allowed: readonly string[] | undefined, denied: readonly string[]) {
    this.#allowed = allowed?.map((pattern) => new Glob(pattern));
    this.#denied = denied.map((pattern) => new Glob(pattern));
  }

  /** Patterns are held to the name with its port and without it. */
  allows(serverName: ServerName): boolean {
    const { host = serverName, kind } = parseServerName(serverName) ?? {};
    const names = [serverName, host, ...(kind === "ipv6" ? [`[${host}]`] : [])].map(foldCase);
    const matches = (pattern: Glob) => names.some((name) => pattern.matchesWhole(name));
    if (this.#denied.some(matches)) return false;
    return this.#allowed?.some(matches) ?? true;
  }
}
