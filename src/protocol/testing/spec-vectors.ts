import { existsSync, readFileSync } from "node:fs";

/**
 * The specification's test vectors, which lie beside the repository and not in it: a test that needs them is skipped where
 * they are absent.
 */
export interface SpecVectors<T> {
  /** For the options of a test: `false`, or why it is skipped. */
  readonly skip: string | false;
  /** @throws Error if the vectors are absent */
  readonly read: () => T;
}

/** @param name of a file of vectors, without its extension */
export function specVectors<T>(name: string): SpecVectors<T> {
  const file = new URL(`../../../../shared/spec/vectors/${name}.json`, import.meta.url);
  return {
    skip: existsSync(file) ? false : `the specification's vectors ${name}.json are not here`,
    read: () => JSON.parse(readFileSync(file, "utf8")) as T,
  };
}
