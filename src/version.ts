import { readFileSync } from "node:fs";

/** Hearth's own version, as its package states it. */
export const version: string = readVersion();

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  if (
    typeof manifest === "object" &&
    manifest &&
    "version" in manifest &&
    typeof manifest.version === "string"
  ) {
    return manifest.version;
  }
  throw new TypeError("package.json has no version.");
}
