import { createHmac, timingSafeEqual } from "node:crypto";
import type { ContactMedium } from "../../storage/contacts.ts";

const codeDigits = 6;

/**
 * What proves that a message reached its address: made from the session's ID and a key that is not in the database, so
 * that whoever reads the database, the queue of messages included, can prove nothing.
 */
export class ValidationSecrets {
  readonly #key: Buffer;

  /** @param key 32 secret bytes, the same after each start */
  constructor(key: Buffer) {
    this.#key = key;
  }

  /** For a link, unguessable. */
  token(sid: string): string {
    return this.#mac("token", sid).toString("base64url");
  }

  /** For typing: guessable, so that attempts have to be counted. */
  code(sid: string): string {
    const number = this.#mac("code", sid).readUIntBE(0, 6) % 10 ** codeDigits;
    return String(number).padStart(codeDigits, "0");
  }

  /** Whether a token or code is the one that was sent, in constant time. */
  fits(sid: string, medium: ContactMedium, given: string): boolean {
    const expected = Buffer.from(medium === "email" ? this.token(sid) : this.code(sid));
    const actual = Buffer.from(given.trim());
    return actual.length === expected.length && timingSafeEqual(actual, expected);
  }

  #mac(use: string, sid: string): Buffer {
    return createHmac("sha256", this.#key).update(`${use} ${sid}`).digest();
  }
}
