import { createCipheriv, createDecipheriv } from "node:crypto";
import { decodeBase64, encodeBase64Url } from "../protocol/base64.ts";
import { isJsonObject, type JsonObject } from "../protocol/json.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { RandomBytes } from "../telemetry/random.ts";

const algorithm = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Hands out data that comes back unread and unchanged: what a browser has to bring along while somebody signs in. So
 * nothing of strangers has to be stored, and nobody can push others out of a store by beginning very often.
 */
export class Sealer {
  readonly #secret: Buffer;
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;

  /** @param secret 32 bytes */
  constructor(secret: Buffer, clock: Clock, randomBytes: RandomBytes) {
    this.#secret = secret;
    this.#clock = clock;
    this.#randomBytes = randomBytes;
  }

  /**
   * @param purpose what is sealed for one purpose cannot be opened for another
   * @returns Base64 for URLs
   */
  seal(purpose: string, content: JsonObject, lifetimeMs: number): string {
    const nonce = this.#randomBytes(nonceBytes);
    const cipher = createCipheriv(algorithm, this.#secret, nonce).setAAD(Buffer.from(purpose));
    const text = JSON.stringify({ expiresTs: this.#clock.nowMs() + lifetimeMs, content });
    const encrypted = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return encodeBase64Url(Buffer.concat([nonce, encrypted, cipher.getAuthTag()]));
  }

  /** What was sealed; `undefined` for what this server has not sealed for this purpose, or has expired. */
  open(purpose: string, sealed: string): JsonObject | undefined {
    const bytes = decodeBase64(sealed);
    if (!bytes || bytes.length < nonceBytes + tagBytes) return undefined;
    const text = this.#decrypt(purpose, bytes);
    const opened: unknown = text === undefined ? undefined : JSON.parse(text);
    if (!isJsonObject(opened) || !isJsonObject(opened["content"])) return undefined;
    const { expiresTs } = opened;
    return typeof expiresTs === "number" && expiresTs > this.#clock.nowMs() ? opened["content"] : undefined;
  }

  #decrypt(purpose: string, bytes: Uint8Array): string | undefined {
    const decipher = createDecipheriv(algorithm, this.#secret, bytes.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(bytes.length - tagBytes));
    const encrypted = bytes.subarray(nonceBytes, bytes.length - tagBytes);
    try {
      return Buffer.concat([decipher.update(encrypted), decipher.final()]).toString("utf8");
    } catch (error) {
      // The only failure there is: the tag does not fit, so somebody has made or changed it.
      if (error instanceof Error) return undefined;
      throw error;
    }
  }
}
