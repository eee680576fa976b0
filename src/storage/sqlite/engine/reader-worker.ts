import { parentPort, workerData } from "node:worker_threads";
import { operationTable } from "../stores/index.ts";
import { type Connection, openConnection } from "./connection.ts";
import {
  type Call,
  type LogState,
  type Outcome,
  outcomeOfError,
  type ReaderReply,
  type WorkerOptions,
  type WorkerRequest,
} from "./messages.ts";

if (!parentPort) throw new Error("a reader runs as a worker only");
const port = parentPort;
const { file, cacheKib } = workerData as WorkerOptions;
const db = openConnection(file, { readonly: true, cacheKib });
/** Checkpoints write to the database file. They need no page cache to speak of. */
const checkpointCacheKib = 256;
let checkpointer: Connection | undefined;

function runOne([store, name, args]: Call): Outcome {
  const operation = operationTable[store]?.[name];
  if (!operation || operation.mode === "write") {
    return { failure: "failed", message: `no reading operation ${store}.${name}` };
  }
  return outcomeOf(() => operation.run(db, ...(args as never[])));
}

/** A passive checkpoint makes neither the writer nor a reader wait. It fails when the disk is full, for one. */
function checkpoint(): LogState {
  checkpointer ??= openConnection(file, { readonly: false, cacheKib: checkpointCacheKib });
  const row = checkpointer.get<{ log: number; checkpointed: number }>("PRAGMA wal_checkpoint(PASSIVE)");
  return { logPages: row?.log ?? 0, copiedPages: row?.checkpointed ?? 0 };
}

function outcomeOf(run: () => unknown): Outcome {
  try {
    return { value: run() };
  } catch (error) {
    return outcomeOfError(error);
  }
}

function answer(request: Exclude<WorkerRequest, "close" | "restart-log">): ReaderReply {
  return { outcomes: request === "checkpoint" ? [outcomeOf(checkpoint)] : request.calls.map(runOne) };
}

port.on("message", (request: WorkerRequest) => {
  if (request === "restart-log") throw new Error("only the writer begins the log anew");
  if (request !== "close") {
    port.postMessage(answer(request));
    return;
  }
  checkpointer?.close();
  db.close();
  port.close();
});
