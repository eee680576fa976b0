import { hkdfSync } from "node:crypto";
import type { SigningKey } from "../protocol/ed25519.ts";

const secretBytes = 32;

/**
 * A secret of this server for one purpose, the same after each start and in each of its processes. It follows from the
 * signing key: Ed25519 signs one text in one way only, and nothing that this server signs for others looks like this one.
 * @param purpose tells the secrets apart
 */
export function deriveSecret(key: SigningKey, purpose: string): Buffer {
  const signature = key.sign(`Hearth secret for ${purpose}`);
  return Buffer.from(hkdfSync("sha256", signature, "", purpose, secretBytes));
}
