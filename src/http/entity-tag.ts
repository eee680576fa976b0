/**
 * Whether a client has what a strong entity tag names: an `If-None-Match` header with it, or with `*`
 * (RFC 9110, section 13.1.2, which compares weakly).
 */
export function matchesEntityTag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(",").some((entry) => {
    const tag = entry.trim();
    return tag === "*" || tag === etag || tag === `W/${etag}`;
  });
}
