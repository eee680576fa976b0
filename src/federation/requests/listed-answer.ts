import { StrictJsonError } from "../../protocol/errors.ts";
import type { JsonValue } from "../../protocol/json.ts";
import { JsonSplitter } from "../../protocol/json-splitter.ts";
import { parseStrictJson } from "../../protocol/strict-json.ts";
import { wrongAnswer } from "./answers.ts";

/** Takes items of a list of an answer, as JSON texts; the next ones come when it is ready for them. */
export type ItemTaker = (list: string, texts: readonly Buffer[]) => Promise<void>;

export interface ListedAnswerOptions {
  /** The members whose items are handed over one by one. */
  readonly lists: readonly string[];
  /** The members that are returned. */
  readonly kept: readonly string[];
  /** A longer answer is an error. */
  readonly maxBytes: number;
}

/** A list of all servers of a room; an event is smaller. */
const maxValueBytes = 4 * 1024 * 1024;

/**
 * Reads an answer that is longer than what should be in memory at once.
 * @returns the members that are kept and not in the lists
 * @throws FederationError for one that is no JSON object, or too long
 */
export async function readListedAnswer(
  body: AsyncIterable<Buffer>,
  { lists, kept, maxBytes }: ListedAnswerOptions,
  take: ItemTaker,
): Promise<ReadonlyMap<string, JsonValue>> {
  let items: { list: string; text: Buffer }[] = [];
  const splitter = new JsonSplitter({
    lists: new Set(lists),
    kept: new Set(kept),
    maxValueBytes,
    onItem: (list, text) => items.push({ list, text }),
  });
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw wrongAnswer("it is too long");
    refusing(() => splitter.push(chunk));
    for (const list of lists) {
      const texts = items.filter((item) => item.list === list).map(({ text }) => text);
      if (texts.length > 0) await take(list, texts);
    }
    items = [];
  }
  const texts = refusing(() => [...splitter.end()]);
  return new Map(texts.map(([key, text]) => [key, refusing(() => parseStrictJson(text))]));
}

function refusing<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof StrictJsonError) throw wrongAnswer(error.message);
    throw error;
  }
}
