import type { IncomingMessage } from "node:http";

export interface CookieOptions {
  /** Under which paths the browser sends it back. */
  readonly path: string;
  /** `undefined`: until the browser is closed. 0: now, which takes the cookie away. */
  readonly maxAgeMs?: number;
  /** Over HTTPS only. */
  readonly isSecure: boolean;
}

/** The value of a cookie that the browser sent; with several of one name, that of the longest path, which comes first. */
export function cookieOf({ headers }: IncomingMessage, name: string): string | undefined {
  for (const pair of (headers.cookie ?? "").split(";")) {
    const separator = pair.indexOf("=");
    if (separator !== -1 && pair.slice(0, separator).trim() === name) return pair.slice(separator + 1).trim();
  }
  return undefined;
}

/**
 * A `Set-Cookie` header. No script can read the cookie, and requests that other sites cause do not bring it along, but
 * for links that are followed.
 * @param value characters of Base64 for URLs
 */
export function setCookie(name: string, value: string, { path, maxAgeMs, isSecure }: CookieOptions): string {
  const parts = [`${name}=${value}`, `Path=${path}`, "HttpOnly", "SameSite=Lax"];
  if (maxAgeMs !== undefined) parts.push(`Max-Age=${Math.floor(maxAgeMs / 1000)}`);
  if (isSecure) parts.push("Secure");
  return parts.join("; ");
}
