import { statfs } from "node:fs/promises";
import type { Clock } from "../telemetry/clock.ts";
import type { Measured } from "../telemetry/metrics.ts";
import type { Readiness } from "../telemetry/readiness.ts";
import { type Traffic, trafficIntervalMs, type TrafficInterval } from "../telemetry/traffic.ts";
import { version } from "../version.ts";

export interface ServerOverviewParts {
  readonly serverName: string;
  readonly dataDir: string;
  readonly readiness: Readiness;
  readonly measured: readonly Measured[];
  readonly traffic: Traffic;
  readonly clock: Clock;
}

export interface Overview {
  readonly serverName: string;
  readonly version: string;
  readonly nodeVersion: string;
  readonly startedTs: number;
  readonly nowTs: number;
  /** What keeps the server from serving requests; `undefined` for nothing. */
  readonly obstacle: string | undefined;
  readonly residentBytes: number;
  readonly freeDiskBytes: number;
  /** What the metrics have that is looked up, by its name. */
  readonly measured: Readonly<Record<string, number>>;
  readonly trafficIntervalMs: number;
  readonly traffic: readonly TrafficInterval[];
}

/** How the server is at this moment. */
export class ServerOverview {
  readonly #parts: ServerOverviewParts;
  readonly #startedTs: number;

  constructor(parts: ServerOverviewParts) {
    this.#parts = parts;
    this.#startedTs = parts.clock.nowMs();
  }

  async now(): Promise<Overview> {
    const { serverName, dataDir, readiness, measured, traffic, clock } = this.#parts;
    const { bavail, bsize } = await statfs(dataDir);
    const values = measured.map(async ({ name, value }) => [name, await value()] as const);
    return {
      serverName,
      version,
      nodeVersion: process.versions.node,
      startedTs: this.#startedTs,
      nowTs: clock.nowMs(),
      obstacle: await readiness.obstacle(),
      residentBytes: process.memoryUsage.rss(),
      freeDiskBytes: bavail * bsize,
      measured: Object.fromEntries(await Promise.all(values)),
      trafficIntervalMs,
      traffic: traffic.watch(),
    };
  }
}
