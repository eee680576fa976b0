import { decodeBase64 } from "../base64.ts";
import { SigningKey, VerifyKey } from "../ed25519.ts";
import type { ServerName } from "../identifiers.ts";

/** The key of the specification's examples (appendices, "Cryptographic Test Vectors"). */
export const specSeed = decodeBase64("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1") ?? new Uint8Array();
export const specSigningKey = new SigningKey("ed25519:1", specSeed);
export const specVerifyKey = new VerifyKey(specSigningKey.keyId, specSigningKey.publicKey);
/** The server of the specification's examples. */
export const specServer = "domain" as ServerName;
