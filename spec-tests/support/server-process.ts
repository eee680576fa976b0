import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { stringify } from "yaml";
import { endWithTest } from "./child-process.ts";
import { freePort } from "./free-port.ts";
import { type TestServer, testDefaults } from "./server.ts";
import { within } from "./within.ts";

const sourceMainFile = join(import.meta.dirname, "../../src/main.ts");

/** Far above what they take, so that only a process that hangs runs into them, even on a busy machine. */
const startTimeoutMs = 60_000;
const endTimeoutMs = 60_000;

/** The last lines of a process's output, for the message of a failure. */
const outputTailLines = 40;

/** How a process ended: by itself with a code, or by a signal. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a process is given besides its configuration. */
export interface ProcessOptions {
  /** Listeners besides that of clients. */
  readonly listeners?: readonly object[];
  /** Modules that are loaded before the server. */
  readonly imports?: readonly string[];
  /** The program to run, if not that of the source. */
  readonly mainFile?: string;
  /** Variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

interface Running {
  readonly pid: number;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ready: Promise<void>;
  readonly ended: Promise<ProcessEnd>;
}

/**
 * The server as a user starts it: a process of its own, `node src/main.ts start --config FILE`, that can be stopped,
 * killed, and started again on the same data and the same port.
 */
export class ServerProcess implements TestServer {
  readonly url: string;
  readonly folder: string;
  readonly dataFolder: string;
  /** What the server has logged as an error or written to its standard error output, over all its runs. */
  readonly complaints: string[] = [];
  readonly #tail: string[] = [];
  readonly #options: ProcessOptions;
  #running: Running | undefined;

  private constructor(url: string, folder: string, dataFolder: string, options: ProcessOptions) {
    this.url = url;
    this.folder = folder;
    this.dataFolder = dataFolder;
    this.#options = options;
  }

  /** Chooses a free port and writes the configuration: nothing runs before `start` or `spawn`. */
  static async prepare(
    overrides: Readonly<Record<string, unknown>> = {},
    options: ProcessOptions = {},
  ): Promise<ServerProcess> {
    const folder = await mkdtemp(join(tmpdir(), "hearth-process-"));
    const dataFolder = String(overrides["data_dir"] ?? join(folder, "data"));
    const port = await freePort();
    const server = new ServerProcess(`http://127.0.0.1:${port}`, folder, dataFolder, options);
    const config = {
      ...testDefaults,
      data_dir: dataFolder,
      public_base_url: server.url,
      listeners: [
        { bind: "127.0.0.1", port, apis: ["client", "federation", "admin"] },
        ...(options.listeners ?? []),
      ],
      log: { level: "info", format: "json" },
      ...overrides,
    };
    await writeFile(server.#configFile, stringify(config));
    return server;
  }

  /** Prepares and starts a server. */
  static async start(overrides: Readonly<Record<string, unknown>> = {}): Promise<ServerProcess> {
    const server = await ServerProcess.prepare(overrides);
    await server.start();
    return server;
  }

  get pid(): number {
    return this.#present().pid;
  }

  /** Resolves when the process serves; rejects when it ends before. */
  get ready(): Promise<void> {
    return this.#present().ready;
  }

  /** Resolves when the process has ended. */
  get ended(): Promise<ProcessEnd> {
    return this.#present().ended;
  }

  /** Starts the process and waits until it serves. */
  async start(): Promise<void> {
    this.spawn();
    await within(startTimeoutMs, () => `the server to be ready\n${this.outputTail}`, this.#present().ready);
  }

  /** Starts the process and does not wait. */
  spawn(): void {
    if (this.#running) throw new Error("the server is running already");
    const { imports = [], env, mainFile = sourceMainFile } = this.#options;
    const preloaded = imports.flatMap((file) => ["--import", file]);
    const words = [...preloaded, mainFile, "start", "--config", this.#configFile];
    const child = spawn(process.execPath, words, {
      env: { ...environment(), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const kill = (signal: NodeJS.Signals) => void child.kill(signal);
    endWithTest(child);
    const ready = Promise.withResolvers<void>();
    const ended = new Promise<ProcessEnd>((resolve) => {
      child.once("close", (code, signal) => {
        this.#running = undefined;
        ready.reject(new Error(`the server ended before it was ready\n${this.outputTail}`));
        resolve({ code, signal });
      });
    });
    // Nobody may be waiting for a process that is killed before it is ready.
    ready.promise.catch(() => undefined);
    createInterface({ input: child.stdout }).on("line", (line) => this.#heard(line, ready.resolve));
    createInterface({ input: child.stderr }).on("line", (line) => {
      this.complaints.push(line);
      this.#remember(line);
    });
    this.#running = { pid: child.pid ?? 0, kill, ready: ready.promise, ended };
  }

  /** Sends a signal to the very process and waits until it has ended. */
  async end(signal: NodeJS.Signals): Promise<ProcessEnd> {
    const { kill, ended } = this.#present();
    kill(signal);
    return within(endTimeoutMs, () => `the server to end by ${signal}\n${this.outputTail}`, ended);
  }

  async restart(): Promise<void> {
    const { code, signal } = await this.end("SIGTERM");
    if (code !== 0) throw new Error(`the server ended with ${code ?? signal}\n${this.outputTail}`);
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#running) await this.end("SIGKILL");
    await rm(this.folder, { recursive: true, force: true });
  }

  get outputTail(): string {
    return this.#tail.join("\n");
  }

  get #configFile(): string {
    return join(this.folder, "hearth.yaml");
  }

  #present(): Running {
    if (!this.#running) throw new Error(`the server is not running\n${this.outputTail}`);
    return this.#running;
  }

  /** One line of the log. */
  #heard(line: string, ready: () => void): void {
    this.#remember(line);
    const { level, msg } = JSON.parse(line) as { level?: string; msg?: string };
    if (level === "error" || level === "fatal") this.complaints.push(line);
    if (msg === "Hearth is ready") ready();
  }

  #remember(line: string): void {
    this.#tail.push(line);
    if (this.#tail.length > outputTailLines) this.#tail.shift();
  }
}

/** This process's own, without settings: those of the server are in its configuration, and others are for tests. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("HEARTH_")));
}
