import { parentPort, workerData } from "node:worker_threads";
import { operationTable } from "../stores/index.ts";
import { busyTimeoutMs, openConnection } from "./connection.ts";
import {
  type Call,
  type Outcome,
  outcomeOfError,
  type WorkerOptions,
  type WorkerRequest,
  type WriterReply,
} from "./messages.ts";
import type { WriteTransaction } from "./operations.ts";
import { Sequence } from "./sequence.ts";

if (!parentPort) throw new Error("the writer runs as a worker only");
const port = parentPort;
const { file, cacheKib } = workerData as WorkerOptions;
const db = openConnection(file, { readonly: false, cacheKib });
const sequence = new Sequence(db);
const transaction: WriteTransaction = {
  db,
  position: (stream, nid, details) => sequence.next(db, stream, nid, details),
  leaveRoom: (positions) => sequence.skip(positions),
};

/** Runs one operation inside the group's transaction; when it throws, it alone is undone. */
function runOne([store, name, args]: Call): Outcome {
  const operation = operationTable[store]?.[name];
  if (operation?.mode !== "write")
    return { failure: "failed", message: `no write operation ${store}.${name}` };
  const mark = sequence.mark();
  db.run("SAVEPOINT operation");
  try {
    const value = operation.run(transaction, ...(args as never[]));
    db.run("RELEASE operation");
    return { value };
  } catch (error) {
    // SQLite has rolled back the whole group by itself: when the disk is full, for one.
    if (!db.inTransaction) throw error;
    db.run("ROLLBACK TO operation");
    db.run("RELEASE operation");
    sequence.undo(mark);
    return outcomeOfError(error);
  }
}

/** One transaction, one sync to disk, for everything that waited. */
function runGroup(calls: readonly Call[]): WriterReply {
  const mark = sequence.mark();
  try {
    db.run("BEGIN IMMEDIATE");
    const outcomes = calls.map(runOne);
    db.run("COMMIT");
    return { outcomes, position: sequence.last, changes: sequence.take() };
  } catch (error) {
    sequence.undo(mark);
    const outcome = outcomeOfError(error);
    if (db.inTransaction) db.run("ROLLBACK");
    return { outcomes: calls.map(() => outcome), position: sequence.last, changes: [] };
  }
}

/** All writes wait while the log is waited for: it can as well begin anew a second later. */
const restartTimeoutMs = 50;

/**
 * Begins the log anew once a checkpoint has copied almost all of it, unless somebody still reads it: otherwise it would
 * grow as long as writes come. It fails when the disk is full, for one.
 */
function restartLog(): WriterReply {
  db.pragma(`busy_timeout = ${restartTimeoutMs}`);
  try {
    const outcome = { value: db.pragma("wal_checkpoint(RESTART)") };
    return { outcomes: [outcome], position: sequence.last, changes: [] };
  } catch (error) {
    return { outcomes: [outcomeOfError(error)], position: sequence.last, changes: [] };
  } finally {
    db.pragma(`busy_timeout = ${busyTimeoutMs}`);
  }
}

function answer(request: Exclude<WorkerRequest, "close" | "checkpoint">): WriterReply {
  return request === "restart-log" ? restartLog() : runGroup(request.calls);
}

port.on("message", (request: WorkerRequest) => {
  if (request === "checkpoint") throw new Error("the writer leaves checkpoints to others");
  if (request !== "close") {
    port.postMessage(answer(request));
    return;
  }
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
  port.close();
});
port.postMessage({ outcomes: [], position: sequence.last, changes: [] } satisfies WriterReply);
