import { parentPort, workerData } from "node:worker_threads";
import { openConnection } from "./connection.ts";
import type { WorkerOptions } from "./messages.ts";

/** How often the write-ahead log is copied back into the database file. */
const intervalMs = 1_000;

if (!parentPort) throw new Error("the checkpointer runs as a worker only");
const port = parentPort;
const { file } = workerData as WorkerOptions;
const db = openConnection(file, { readonly: false, cacheKib: 512 });

// A passive checkpoint never makes a writer or a reader wait.
const timer = setInterval(() => db.pragma("wal_checkpoint(PASSIVE)"), intervalMs);
port.on("message", () => {
  clearInterval(timer);
  db.close();
  port.close();
});
