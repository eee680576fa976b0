import { Parser } from "htmlparser2";
import { PageCollector } from "./page-collector.ts";
import type { PageFacts } from "./page-facts.ts";

/** Between two looks at whether to go on. */
const pieceLength = 16 * 1024;
/** The parser's work for an element grows with the number of those that are open. */
const maxDepth = 500;

/** Reads what a page says of itself, as far as it takes. */
export function readHtml(html: string): PageFacts {
  const collector = new PageCollector();
  const { onopentag, onclosetag, ontext } = collector;
  const parser = new Parser({ onopentag, onclosetag, ontext });
  for (let offset = 0; offset < html.length; offset += pieceLength) {
    parser.write(html.slice(offset, offset + pieceLength));
    if (collector.isComplete || collector.depth > maxDepth) break;
  }
  parser.end();
  return collector.facts;
}
