import { foldCase, Glob } from "../protocol/glob.ts";

interface UrlPattern {
  readonly host: Glob;
  /** `undefined`: every path. */
  readonly path: Glob | undefined;
}

/** Addresses that are named by host, or by host and path, with `*` for anything. */
export class UrlPatterns {
  readonly #patterns: readonly UrlPattern[];

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map((pattern) => {
      const slash = pattern.indexOf("/");
      const host = new Glob(slash === -1 ? pattern : pattern.slice(0, slash));
      return { host, path: slash === -1 ? undefined : new Glob(pattern.slice(slash)) };
    });
  }

  /** A pattern's host without a port stands for the host on every port. */
  matches({ hostname, host, pathname }: URL): boolean {
    // A name may be written with the dot at its end that it has in the DNS.
    const names = [hostname, hostname.replace(/\.$/, ""), host].map(foldCase);
    const path = foldCase(decoded(pathname));
    return this.#patterns.some(
      (pattern) =>
        names.some((name) => pattern.host.matchesWhole(name)) && (pattern.path?.matchesWhole(path) ?? true),
    );
  }
}

/** Escapes of characters that need none would otherwise lead past a pattern. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return path;
    throw error;
  }
}
