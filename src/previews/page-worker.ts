import { parentPort } from "node:worker_threads";
import { readHtml } from "./html-page.ts";
import type { PageFacts } from "./page-facts.ts";
import { pageText } from "./page-text.ts";

/** A page as it was received. */
export interface PageRequest {
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
}

export type PageReply = PageFacts;

if (!parentPort) throw new Error("pages are read in a worker only");
const port = parentPort;

port.on("message", ({ bytes, contentType }: PageRequest) => {
  port.postMessage(readHtml(pageText(bytes, contentType)) satisfies PageReply);
});
