/** So many of the first bytes are looked through for what they say of their encoding. */
const declarationBytes = 4_096;

/**
 * The text of a page, whatever it is encoded in: a byte order mark counts first, then the `Content-Type`, then what the
 * page itself says, then whether it is UTF-8 at all; else it is taken for Windows-1252, as browsers do.
 */
export function pageText(bytes: Uint8Array, contentType: string | undefined): string {
  for (const label of [byteOrderMark(bytes), charsetOf(contentType), declaredIn(bytes)]) {
    const decoder = label === undefined ? undefined : decoderFor(label);
    if (decoder) return decoder.decode(bytes);
  }
  return utf8OrWestern(bytes);
}

function byteOrderMark(bytes: Uint8Array): string | undefined {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  return first === 0xff && second === 0xfe ? "utf-16le" : undefined;
}

function charsetOf(contentType: string | undefined): string | undefined {
  return /;\s*charset\s*=\s*["']?([^\s"';]+)/i.exec(contentType ?? "")?.[1];
}

/** In an XML declaration or in a `meta` element. Text that can be read so far is not UTF-16, whatever it says. */
function declaredIn(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, declarationBytes)).toString(
    "latin1",
  );
  const label =
    /^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([^"']+)/i.exec(head)?.[1] ??
    /<meta\s[^>]*?charset\s*=\s*["']?\s*([^\s"'/>;]+)/i.exec(head)?.[1];
  return label !== undefined && /^utf-?16/i.test(label) ? "utf-8" : label;
}

/** `undefined` for an encoding that nobody knows. */
function decoderFor(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The end may be missing, and with it part of a character: that makes no text a Western one. */
function utf8OrWestern(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
  } catch (error) {
    if (error instanceof TypeError) return new TextDecoder("windows-1252").decode(bytes);
    throw error;
  }
}
