import { hash } from "node:crypto";
import { encodeBase64Url } from "../protocol/base64.ts";
import type { RandomBytes } from "../telemetry/random.ts";

const prefixes = { access: "hat", refresh: "hrt", login: "hlt", openid: "hot", browser: "hbt" } as const;
const tokenBytes = 32;

/** A secret for a client to keep, with what the server keeps of it. */
export interface NewToken {
  readonly token: string;
  readonly hash: Buffer;
}

/**
 * Makes an unguessable token. Its prefix tells people and secret scanners what it is.
 * @param family what it has in common with others, as secret as itself
 */
export function newToken(kind: keyof typeof prefixes, randomBytes: RandomBytes, family?: string): NewToken {
  const start = family === undefined ? prefixes[kind] + "_" : `${prefixes[kind]}_${family}.`;
  const token = start + encodeBase64Url(randomBytes(tokenBytes));
  return { token, hash: hashToken(token) };
}

/** SHA-256 of a token: what is stored and looked up, so that a stolen database lets nobody in. */
export function hashToken(token: string): Buffer {
  return hash("sha256", token, "buffer");
}
