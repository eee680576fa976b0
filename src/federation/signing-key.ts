import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StartupError } from "../config/startup-error.ts";
import { decodeBase64, encodeBase64 } from "../protocol/base64.ts";
import { SigningKey } from "../protocol/ed25519.ts";
import type { RandomBytes } from "../telemetry/random.ts";

/** Its name in the data folder. */
export const signingKeyFile = "signing.key";
const seedBytes = 32;

/**
 * The server's signing key, kept in the data folder as `ed25519 VERSION SEED` (one line, the form that other homeservers
 * use). It is made at the first start; a server that lost it would be a stranger to every other server.
 * @throws StartupError when the file holds no key
 */
export function loadSigningKey(folder: string, randomBytes: RandomBytes): SigningKey {
  const file = join(folder, signingKeyFile);
  const text = readIfThere(file) ?? createKeyFile(file, randomBytes);
  const [algorithm, version, seedText] = text.trim().split(/\s+/);
  const seed = seedText === undefined ? undefined : decodeBase64(seedText);
  if (algorithm !== "ed25519" || version === undefined || seed?.length !== seedBytes) {
    throw new StartupError("bad-key", `${file} holds no signing key: restore it from a backup.`);
  }
  return new SigningKey(`ed25519:${version}`, seed);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new StartupError("bad-key", `The signing key ${file} cannot be read.`, { cause: error });
  }
}

/** The file appears with the whole key in it or not at all, whenever the process or the machine stops. */
function createKeyFile(file: string, randomBytes: RandomBytes): string {
  const version = `a_${randomBytes(3).toString("hex")}`;
  const text = `ed25519 ${version} ${encodeBase64(randomBytes(seedBytes))}\n`;
  const unfinished = `${file}.new`;
  writeFileSync(unfinished, text, { mode: 0o600, flush: true });
  renameSync(unfinished, file);
  return text;
}
