import type { ServerName } from "./identifiers.ts";

/** A server name taken apart (appendices, "Server Name"). */
export interface ServerNameParts {
  /** The host without the brackets of an IPv6 literal. */
  readonly host: string;
  readonly kind: "dns" | "ipv4" | "ipv6";
  /** As written: up to five digits, so it may be more than any TCP port can be. */
  readonly port: number | undefined;
}

const grammar = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9A-Za-z.-]{1,255}))(?::([0-9]{1,5}))?$/;
const ipv4 = /^(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})(?:\.|$)){4}$/;

/** Whether text is a server name. Four numbers over 255 are no IPv4 address, but they are a DNS name by the grammar. */
export function isServerName(text: string): text is ServerName {
  const match = grammar.exec(text);
  return match !== null && (match[1] === undefined || isIpv6Address(match[1]));
}

/** Takes a server name apart, or gives `undefined` for text that is not one. */
export function parseServerName(text: string): ServerNameParts | undefined {
  const match = grammar.exec(text);
  if (match === null) return undefined;
  const [, ipv6Host, host, digits] = match;
  const port = digits === undefined ? undefined : Number(digits);
  if (ipv6Host !== undefined) {
    return isIpv6Address(ipv6Host) ? { host: ipv6Host, kind: "ipv6", port } : undefined;
  }
  if (host === undefined) return undefined;
  return { host, kind: isIpv4Address(host) ? "ipv4" : "dns", port };
}

function isIpv4Address(text: string): boolean {
  return !text.endsWith(".") && ipv4.test(text);
}

/** RFC 3513, section 2.2: eight groups, of which one run may be left out as `::`; the last two may be an IPv4 address. */
function isIpv6Address(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  let groups = 0;
  for (const [index, half] of halves.entries()) {
    const count = countIpv6Groups(half, index === halves.length - 1);
    if (count === undefined) return false;
    groups += count;
  }
  return halves.length === 2 ? groups <= 7 : groups === 8;
}

function countIpv6Groups(half: string, mayEndInIpv4: boolean): number | undefined {
  if (half === "") return 0;
  const groups = half.split(":");
  const last = groups.at(-1);
  const endsInIpv4 = mayEndInIpv4 && last !== undefined && isIpv4Address(last);
  const hexGroups = endsInIpv4 ? groups.slice(0, -1) : groups;
  if (!hexGroups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return undefined;
  return hexGroups.length + (endsInIpv4 ? 2 : 0);
}
