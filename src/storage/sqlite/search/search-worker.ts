import { parentPort, workerData } from "node:worker_threads";
import { openConnection } from "../engine/connection.ts";
import { outcomeOfError, type Outcome, type ReaderReply, type WorkerRequest } from "../engine/messages.ts";
import { find } from "./finding.ts";
import { type IndexedDatabase, indexRooms } from "./indexing.ts";
import { begin, reached } from "./progress.ts";
import { condemn, isCorrupt, openIndexForWriting } from "./schema.ts";
import { tidy } from "./tidying.ts";
import type { SearchWorkerOptions } from "./sqlite-search-index.ts";

if (!parentPort) throw new Error("the search index is worked on in workers only");
const port = parentPort;
const { file, cacheKib, indexFile, mayWrite } = workerData as SearchWorkerOptions;
const dbs: IndexedDatabase = {
  main: openConnection(file, { readonly: true, cacheKib }),
  index: mayWrite
    ? openIndexForWriting(indexFile, cacheKib)
    : openConnection(indexFile, { readonly: true, cacheKib }),
};

const operations: Readonly<Record<string, (dbs: IndexedDatabase, ...args: never[]) => unknown>> = {
  begin,
  reached,
  indexRooms,
  tidy,
  find,
};

function runOne(name: string, args: unknown[]): Outcome {
  try {
    return { value: operations[name]?.(dbs, ...(args as never[])) };
  } catch (error) {
    if (mayWrite && isCorrupt(error)) condemn(dbs.index);
    return outcomeOfError(error);
  }
}

port.on("message", (request: WorkerRequest) => {
  if (request === "close") {
    dbs.index.close();
    dbs.main.close();
    port.close();
    return;
  }
  if (typeof request === "string") throw new Error("nobody else has to look after the search index's log");
  const outcomes = request.calls.map(([, name, args]) => runOne(name, args));
  port.postMessage({ outcomes } satisfies ReaderReply);
});
