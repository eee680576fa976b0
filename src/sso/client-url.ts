const maxLength = 2_000;

/** What browsers run or read instead of going there. */
const forbiddenSchemes = new Set([
  "javascript:",
  "data:",
  "vbscript:",
  "blob:",
  "file:",
  "filesystem:",
  "about:",
  "view-source:",
]);

/**
 * Where a client wants its user to be sent back: the address of a page, or of an app by a scheme of its own.
 * @returns `undefined` for what is no such address
 */
export function parseClientUrl(text: string): URL | undefined {
  if (text.length > maxLength) return undefined;
  const url = URL.parse(text);
  if (!url || forbiddenSchemes.has(url.protocol) || url.username !== "" || url.password !== "")
    return undefined;
  return url;
}

/** Whether an address is one of those, or below it. */
export function isTrusted(url: URL, trusted: readonly string[]): boolean {
  return trusted.some((text) => {
    const base = URL.parse(text);
    if (!base || base.protocol !== url.protocol || base.host !== url.host) return false;
    const folder = base.pathname.endsWith("/") ? base.pathname : `${base.pathname}/`;
    return url.pathname === base.pathname || url.pathname.startsWith(folder);
  });
}

/** The address with a login token, in place of any that it had. */
export function withLoginToken(url: URL, token: string): string {
  const target = new URL(url);
  target.searchParams.delete("loginToken");
  target.searchParams.append("loginToken", token);
  return target.href;
}

/** What people are told of where they go: the host, or the app's scheme. */
export function placeName({ protocol, host }: URL): string {
  return protocol === "https:" || protocol === "http:" ? host : protocol.slice(0, -1);
}

/** The same for browsers, which hold the forms of a page to it. */
export function formTarget({ protocol, origin }: URL): string {
  return protocol === "https:" || protocol === "http:" ? origin : protocol;
}
