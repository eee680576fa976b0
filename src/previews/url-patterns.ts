import { foldCase, Glob } from "../protocol/glob.ts";
import { percentDecoded } from "./percent-encoding.ts";

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
    // Escapes of characters that need none would otherwise lead past a pattern.
    const path = foldCase(percentDecoded(pathname));
    return this.#patterns.some(
      (pattern) =>
        names.some((name) => pattern.host.matchesWhole(name)) && (pattern.path?.matchesWhole(path) ?? true),
    );
  }
}
