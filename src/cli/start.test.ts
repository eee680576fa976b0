import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import t from "tap";
import { configFrom } from "../config/load.ts";
import { StartupError } from "../config/startup-error.ts";
import type { HearthServer } from "../server.ts";
import type { Clock } from "../telemetry/clock.ts";
import { createLogTo } from "../telemetry/log.ts";
import { exitCodes } from "./exit-codes.ts";
import { serveUntilStopped } from "./start.ts";

/** A server whose disposal ends when the test says so, a clock that the test turns, and signals that it sends. */
function scene(environment = {}, logFormat = "pretty") {
  const output = new PassThrough();
  const signals = new EventEmitter();
  const disposal = Promise.withResolvers<void>();
  const loss = Promise.withResolvers<Error>();
  const state = { disposed: 0, nowMs: 0, fireTimer: () => undefined };
  const server: HearthServer = {
    addresses: [{ url: "http://127.0.0.1:8008", apis: ["client"] }],
    lost: loss.promise,
    listen: async () => undefined,
    [Symbol.asyncDispose]: () => {
      state.disposed++;
      return disposal.promise;
    },
  };
  const clock: Clock = {
    nowMs: () => state.nowMs,
    monotonicMs: () => state.nowMs,
    setTimer: (_delayMs, callback) => {
      state.fireTimer = () => {
        callback();
        return undefined;
      };
      return { cancel: () => undefined, [Symbol.dispose]: () => undefined };
    },
  };
  const logged: string[] = [];
  const log = createLogTo({ write: (line) => logged.push(line) }, "info");
  const terminal = { input: new PassThrough(), output, errors: new PassThrough(), environment, signals };
  const config = configFrom({ log: { format: logFormat } }, ".");
  const serve = () => serveUntilStopped(server, { config, log, terminal, clock, drainTimeoutMs: 1000 });
  return { serve, server, state, disposal, loss, signals, output, logged };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

t.test("one signal drains; the same keypress coming twice is one signal", async (t) => {
  const { serve, state, disposal, signals } = scene();
  const code = serve();
  await turn();
  t.equal(state.disposed, 0);
  signals.emit("SIGINT");
  signals.emit("SIGINT");
  await turn();
  t.equal(state.disposed, 1);
  disposal.resolve();
  t.equal(await code, exitCodes.success);
});

t.test("a second signal ends at once", async (t) => {
  const { serve, state, signals } = scene();
  const code = serve();
  await turn();
  signals.emit("SIGTERM");
  state.nowMs += 2000;
  signals.emit("SIGINT");
  t.equal(await code, 130);
});

t.test("draining has an end", async (t) => {
  const { serve, state, signals, logged } = scene();
  const code = serve();
  await turn();
  signals.emit("SIGTERM");
  await turn();
  state.fireTimer();
  t.equal(await code, exitCodes.drainTimeout);
  t.match(logged.at(-1), "not everything had ended in time");
});

t.test("a server whose database is lost ends, for its supervisor to start it again", async (t) => {
  const { serve, loss, logged } = scene();
  const code = serve();
  await turn();
  loss.resolve(new Error("the writer has failed"));
  t.equal(await code, exitCodes.databaseLost);
  t.match(logged.at(-1), "the writer has failed");
});

t.test("a server that cannot listen is disposed of", async (t) => {
  const { serve, server, state, disposal } = scene();
  const refused = new StartupError("port-in-use", "Port 8008 is taken.");
  server.listen = () => Promise.reject(refused);
  disposal.resolve();
  await t.rejects(serve(), refused);
  t.equal(state.disposed, 1);
});

t.test("people are told where to point a client and how to make the first account", async (t) => {
  const { serve, output, signals, disposal } = scene({ npm_lifecycle_event: "start" });
  const code = serve();
  await turn();
  signals.emit("SIGTERM");
  disposal.resolve();
  await code;
  output.end();
  const told = await text(output);
  t.match(told, "http://127.0.0.1:8008  (client)");
  t.match(told, "the homeserver http://localhost:8008\n");
  t.match(told, "npm run hearth -- user create NAME --admin");
});

t.test("log collectors are told the same in a record", async (t) => {
  const { serve, output, signals, disposal, logged } = scene({}, "json");
  const code = serve();
  await turn();
  signals.emit("SIGTERM");
  disposal.resolve();
  await code;
  output.end();
  t.equal(await text(output), "");
  t.match(JSON.parse(logged[0] ?? ""), {
    msg: "Hearth is ready",
    homeserver: "http://localhost:8008",
    createAdmin: "hearth user create NAME --admin",
  });
});

t.test(
  "an account made beside the running server can log in; SIGTERM ends the process with code 0",
  async (t) => {
    const program = join(import.meta.dirname, "../main.ts");
    const env = {
      HEARTH_DATA_DIR: join(t.testdir({}), "data"),
      HEARTH_LISTENERS: '[{ "port": 0, "apis": ["client"] }]',
      HEARTH_LOG__FORMAT: "json",
    };
    const child = spawn(process.execPath, [program, "start"], { env, stdio: ["ignore", "pipe", "pipe"] });
    t.teardown(() => child.kill("SIGKILL"));
    const errors = text(child.stderr);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    const ready: { addresses: { url: string }[] } = JSON.parse(String(first.value));
    const password = "correct horse battery";
    const create = spawn(process.execPath, [program, "user", "create", "alice", "--password-stdin"], { env });
    create.stdin.end(password);
    t.strictSame(await once(create, "exit"), [0, null]);
    const response = await fetch(`${ready.addresses[0]?.url}/_matrix/client/v3/login`, {
      method: "POST",
      body: JSON.stringify({
        type: "m.login.password",
        identifier: { type: "m.id.user", user: "alice" },
        password,
      }),
    });
    t.equal(response.status, 200);
    await response.arrayBuffer();
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    t.strictSame(await ended, [0, null]);
    t.equal(await errors, "");
  },
);
