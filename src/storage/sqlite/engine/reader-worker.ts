import { parentPort, workerData } from "node:worker_threads";
import { operationTable } from "../stores/index.ts";
import { openConnection } from "./connection.ts";
import {
  type Call,
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

function runOne([store, name, args]: Call): Outcome {
  const operation = operationTable[store]?.[name];
  if (!operation || operation.mode === "write") {
    return { failure: "failed", message: `no reading operation ${store}.${name}` };
  }
  try {
    return { value: operation.run(db, ...(args as never[])) };
  } catch (error) {
    return outcomeOfError(error);
  }
}

port.on("message", (request: WorkerRequest) => {
  if (request !== "close") {
    port.postMessage({ outcomes: request.calls.map(runOne) } satisfies ReaderReply);
    return;
  }
  db.close();
  port.close();
});
