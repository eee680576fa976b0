/**
 * Unpadded Base64 (appendices, "Unpadded Base64"), standard and URL-safe.
 */

/** Standard unpadded Base64 of some bytes. */
export function encodeBase64(bytes: Uint8Array): string {
  return stripPadding(view(bytes).toString("base64"));
}

/** URL-safe unpadded Base64 of some bytes. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return view(bytes).toString("base64url");
}

/** Takes the `=` characters off padded Base64. */
export function stripPadding(base64: string): string {
  const padding = base64.indexOf("=");
  return padding === -1 ? base64 : base64.slice(0, padding);
}

const standard = /^[A-Za-z0-9+/]*={0,2}$/;
const urlSafe = /^[A-Za-z0-9_-]*={0,2}$/;

/**
 * Decodes Base64 of either alphabet, with or without padding, as servers send it; a mixture of the alphabets, white space
 * and an impossible length are refused.
 * @returns the bytes, or `undefined` for text that is not Base64
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (!standard.test(text) && !urlSafe.test(text)) return undefined;
  // One character of Base64 holds six bits: a group of one cannot make a byte.
  if (stripPadding(text).length % 4 === 1) return undefined;
  return Buffer.from(text, "base64");
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
