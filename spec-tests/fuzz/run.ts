// Sends requests made at random from the declarations of all endpoints to a server of its own, and holds the answers to
// what every answer has to be: `npm run fuzz -- --seconds 60 --seed 1`. It ends with 1 when the server has failed, hung,
// logged an error or grown too large; what was sent then is printed.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import * as fc from "fast-check";
import { faultsOf } from "../support/answer-faults.ts";
import { anonymous, registerUser, type TestClient } from "../support/client.ts";
import { clientEndpoints } from "../support/declarations.ts";
import { rawRequest } from "../support/raw-request.ts";
import { bodiesOf, say, sync } from "../support/rooms.ts";
import { ServerProcess } from "../support/server-process.ts";
import { arbitraryRequest, type FuzzedRequest } from "./arbitrary-request.ts";
import { makeScene, type Scene } from "./scene.ts";

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
    requests: { type: "string", default: "1000000" },
    "max-memory-mib": { type: "string", default: "700" },
  },
});
const seed = Number(options.seed);
const maxRequests = Number(options.requests);
const maxMemoryMib = Number(options["max-memory-mib"]);
const endMs = performance.now() + Number(options.seconds) * 1_000;

const batchSize = 300;
const concurrency = 8;
const maxFaults = 20;
const maxShown = 2_000;

const server = await ServerProcess.start();
const declarations = await clientEndpoints();
/** By what is wrong, how often and with which request first. */
const faults = new Map<string, { count: number; readonly example: string }>();
const statuses = new Map<number, number>();
/** Operations that were never carried out: what lies behind their checks has not been tried. */
const untried = new Set(declarations.map(({ operationId }) => operationId));
let sent = 0;
let peakMemoryMib = 0;

async function runBatch(number: number): Promise<void> {
  const { tokens, known, values } = await makeScene(server);
  const arbitrary = arbitraryRequest(declarations, known, values);
  const requests = fc.sample(arbitrary, { seed: seed + number, numRuns: batchSize });
  const work = Array.from({ length: concurrency }, async () => {
    for (let request = requests.pop(); request; request = requests.pop()) await send(request, tokens);
  });
  await Promise.all(work);
}

async function send(request: FuzzedRequest, tokens: Scene["tokens"]): Promise<void> {
  const { sender, operationId, ...asked } = request;
  const accessToken = tokens[sender];
  sent += 1;
  try {
    const answer = await rawRequest(server.url, {
      ...asked,
      ...(accessToken !== undefined && { accessToken }),
    });
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    if (answer.status < 300) untried.delete(operationId);
    const wrong = faultsOf(answer);
    if (wrong.length === 0) return;
    const example = `${answer.text.slice(0, 300)}\n    ${requestText(request)}`;
    blame(`${operationId}: ${answer.status} ${wrong.join(", ")}`, example);
  } catch (error) {
    blame(`${operationId}: ${String(error)}`, requestText(request));
  }
}

function requestText(request: FuzzedRequest): string {
  const text = JSON.stringify({ ...request, ...(request.body && { body: String(request.body) }) });
  return text.slice(0, maxShown);
}

function blame(fault: string, example = ""): void {
  const known = faults.get(fault);
  if (known) known.count += 1;
  else faults.set(fault, { count: 1, example });
}

/** People who had no part in it can still talk to each other. */
async function checkService(): Promise<void> {
  const versions = await anonymous(server).get("/_matrix/client/versions");
  if (versions.status !== 200) blame(`/versions answers ${versions.status}`);
  const user: TestClient = await registerUser(server);
  const { body } = await user.post("/_matrix/client/v3/createRoom", {});
  const roomId = String(body["room_id"]);
  await say(user, roomId, "still there");
  const synced = await sync(user);
  const timeline = synced.room("join", roomId).timeline.events;
  if (!bodiesOf(timeline).includes("still there")) blame("a message that was sent does not come by sync");
}

function checkProcess(): void {
  for (const line of server.complaints.splice(0)) {
    const { msg, err } = logEntry(line);
    blame(`the server complains: ${msg} ${err?.message ?? ""}`, line.slice(0, maxShown));
  }
  const memoryMib = residentMib(server.pid);
  peakMemoryMib = Math.max(peakMemoryMib, memoryMib);
  if (memoryMib > maxMemoryMib) blame(`the server has grown beyond ${maxMemoryMib} MiB`);
}

function logEntry(line: string): { readonly msg: string; readonly err?: { readonly message: string } } {
  if (!line.startsWith("{")) return { msg: line };
  return JSON.parse(line) as ReturnType<typeof logEntry>;
}

/** Memory of a process in MiB; 0 where the system does not tell. */
function residentMib(pid: number): number {
  if (process.platform !== "linux") return 0;
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024);
}

function isOver(): boolean {
  return performance.now() >= endMs || sent >= maxRequests || faults.size >= maxFaults;
}

process.stdout.write(`seed ${seed}, ${declarations.length} endpoints\n`);
try {
  for (let batch = 0; !isOver(); batch++) {
    await runBatch(batch);
    await checkService();
    checkProcess();
  }
} catch (error) {
  blame(String(error));
} finally {
  await server[Symbol.asyncDispose]();
}
for (const [fault, { count, example }] of faults)
  process.stdout.write(`${count} × ${fault}\n    ${example}\n`);
const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
process.stdout.write(`${sent} requests (${counts.join(", ")}), memory at most ${peakMemoryMib} MiB\n`);
if (untried.size > 0) process.stdout.write(`never carried out: ${[...untried].join(", ")}\n`);
process.stdout.write(faults.size === 0 ? "no fault found\n" : `${faults.size} faults\n`);
process.exitCode = faults.size === 0 ? 0 : 1;
