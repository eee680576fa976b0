import { randomBytes } from "node:crypto";

/** Unpredictable bytes, passed in wherever they are needed, so that a test can choose them. */
export type RandomBytes = (sizeBytes: number) => Buffer;

/** The operating system's generator, fit for keys and tokens. */
export const systemRandomBytes: RandomBytes = (sizeBytes) => randomBytes(sizeBytes);

/** A number from 0 up to, but without, 1. */
export function randomFraction(source: RandomBytes): number {
  return source(4).readUInt32BE() / 2 ** 32;
}
