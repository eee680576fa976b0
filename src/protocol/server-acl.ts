import { foldCase, Glob } from "./glob.ts";
import type { ServerName } from "./identifiers.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { parseServerName } from "./server-name.ts";

/** More patterns than this are not looked at, for a room's state must not cost more than a message does. */
const maxPatterns = 5_000;

/** Which servers may take part in a room (client-server API, "Server Access Control Lists (ACLs) for rooms"). */
export class ServerAcl {
  readonly #allow: readonly Glob[];
  readonly #deny: readonly Glob[];
  readonly #allowsIpLiterals: boolean;

  /** @param content of the room's `m.room.server_acl`, unchecked */
  constructor(content: JsonObject) {
    this.#allow = patterns(content["allow"]);
    this.#deny = patterns(content["deny"]);
    this.#allowsIpLiterals = content["allow_ip_literals"] !== false;
  }

  /** "The server name, when evaluating, has its port stripped." */
  admits(serverName: ServerName): boolean {
    const parts = parseServerName(serverName);
    if (!parts) return false;
    // 2. If the server name is an IP address and allow_ip_literals is false, deny.
    if (parts.kind !== "dns" && !this.#allowsIpLiterals) return false;
    const host = foldCase(parts.host);
    const names = parts.kind === "ipv6" ? [host, `[${host}]`] : [host];
    const matches = (pattern: Glob) => names.some((name) => pattern.matchesWhole(name));
    // 3. If the server name matches an entry in the deny list, deny. 4. If it matches one in the allow list, allow.
    return !this.#deny.some(matches) && this.#allow.some(matches);
  }
}

function patterns(value: JsonValue | undefined): Glob[] {
  if (!Array.isArray(value)) return [];
  return value
    .filter((pattern) => typeof pattern === "string")
    .slice(0, maxPatterns)
    .map((pattern) => new Glob(pattern));
}
