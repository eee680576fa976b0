import { wrongAnswer } from "./answers.ts";

const [openBracket, openBrace, closeBracket] = [...Buffer.from("[{]")];
const whiteSpace: ReadonlySet<number | undefined> = new Set(Buffer.from(" \t\r\n"));
/** `[200,` and some white space. */
const maxPrefixBytes = 64;

/**
 * The answer proper in an answer of the first form, which has a status before it: `[200, {…}]`.
 * @throws FederationError for one that begins or ends otherwise
 */
export async function* withoutStatus(body: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let isInside = false;
  /** What may be the end, or not yet. */
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of body) {
    let bytes = Buffer.concat([held, chunk]);
    if (!isInside) {
      const start = bytes.indexOf(openBrace ?? 0);
      const first = bytes.find(isNoWhiteSpace) ?? openBracket;
      if (start > maxPrefixBytes || first !== openBracket) throw wrongAnswer("no list");
      if (start === -1 && bytes.length <= maxPrefixBytes) {
        held = bytes;
        continue;
      }
      if (start === -1) throw wrongAnswer("no list");
      isInside = true;
      bytes = bytes.subarray(start);
    }
    const end = bytes.findLastIndex((byte) => isNoWhiteSpace(byte) && byte !== closeBracket) + 1;
    held = bytes.subarray(end);
    if (end > 0) yield bytes.subarray(0, end);
  }
  const last = held.lastIndexOf(closeBracket ?? 0);
  if (!isInside || last === -1) throw wrongAnswer("no list");
  yield held.subarray(0, last);
}

function isNoWhiteSpace(byte: number): boolean {
  return !whiteSpace.has(byte);
}
