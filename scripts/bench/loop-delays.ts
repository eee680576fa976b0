import { existsSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ProcessOptions, ServerProcess } from "../../spec-tests/support/server-process.ts";

/** How long an event loop kept others waiting, in milliseconds. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Asks a server how long its event loop keeps others waiting. */
export class LoopDelays implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async prepare(): Promise<LoopDelays> {
    return new LoopDelays(await mkdtemp(join(tmpdir(), "hearth-delay-")));
  }

  /** What the server has to be started with. */
  get options(): ProcessOptions {
    return { imports: [join(import.meta.dirname, "loop-delay.mjs")], env: { BENCH_LOOP_DELAY: this.#file } };
  }

  /** The delay since the last time, or since the server's start. */
  async take({ pid }: ServerProcess): Promise<LoopDelay> {
    rmSync(this.#file, { force: true });
    process.kill(pid, "SIGUSR2");
    while (!existsSync(this.#file)) await delay(10);
    // What it writes is one short line.
    await delay(10);
    return JSON.parse(readFileSync(this.#file, "utf8")) as LoopDelay;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#folder, "delay.json");
  }
}
