import { statSync } from "node:fs";
import { join } from "node:path";
import { ServerOverview } from "../admin/server-overview.ts";
import type { FederationSender } from "../federation/sending/federation-sender.ts";
import { operationHandlers } from "../http/handlers/admin/operation.ts";
import { healthHandlers } from "../http/handlers/monitoring/health.ts";
import { metricsHandlers } from "../http/handlers/monitoring/metrics.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import type { Database } from "../storage/database.ts";
import { type Measured, Metrics } from "../telemetry/metrics.ts";
import { Readiness } from "../telemetry/readiness.ts";
import { Traffic } from "../telemetry/traffic.ts";
import { slowRequestLog } from "../telemetry/slow-requests.ts";
import type { Foundation } from "./foundation.ts";

/** What those look at who keep the server running. Metrics are counted only where a listener serves them. */
export async function composeMonitoring(
  foundation: Foundation,
  database: Database,
  sender: FederationSender | undefined,
): Promise<BoundEndpoint[]> {
  const { config, log, clock, notifier, observations } = foundation;
  const { slow_request_ms: slowMs } = config.log;
  if (slowMs > 0) observations.requests.follow(slowRequestLog(slowMs, log));
  const readiness = new Readiness({
    write: () => database.stores.positions.pass(),
    waitingWrites: () => database.waitingWrites,
    isStopping: () => notifier.isClosed,
    clock,
  });
  const measured = [...measuredOf(foundation, database), ...(sender ? measuredOfSender(sender) : [])];
  const traffic = new Traffic(observations.requests, clock);
  const { server_name: serverName, data_dir: dataDir } = config;
  const handlers = [
    ...healthHandlers(readiness),
    ...operationHandlers({
      overview: new ServerOverview({ serverName, dataDir, readiness, measured, traffic, clock }),
      config,
      appservices: foundation.appservices.registry.all,
      standing: () => database.stores.appservices.standing(),
      position: () => notifier.position,
    }),
  ];
  if (!config.listeners.some(({ apis }) => apis.includes("metrics"))) return handlers;
  const metrics = await Metrics.open(observations, measured);
  return [...handlers, ...metricsHandlers(metrics)];
}

function measuredOf({ config, notifier, stores }: Foundation, database: Database): Measured[] {
  return [
    {
      name: "hearth_stream_position",
      help: "The newest position of the stream: it grows with whatever clients are told.",
      value: () => notifier.position,
    },
    {
      name: "hearth_waiting_users",
      help: "Users who have a client that waits for news.",
      value: () => notifier.waiting,
    },
    {
      name: "hearth_database_waiting_writes",
      help: "Writes that wait for the next commit.",
      value: () => database.waitingWrites,
    },
    ...["hearth.db", "hearth.db-wal", "search.db"].map((file) => sizeOf(config.data_dir, file)),
    {
      name: "hearth_jobs_active",
      help: "Jobs of administrators that run or wait.",
      value: async () => (await stores.jobs.active(maxCountedJobs)).length,
    },
  ];
}

function measuredOfSender(sender: FederationSender): Measured[] {
  return [
    {
      name: "hearth_federation_busy_destinations",
      help: "Servers that are being sent something, or wait for it.",
      value: () => sender.load.busy,
    },
    {
      name: "hearth_federation_failing_destinations",
      help: "Servers that cannot be reached, and are tried again later.",
      value: () => sender.load.failing,
    },
  ];
}

const maxCountedJobs = 1_000;

function sizeOf(folder: string, file: string): Measured {
  return {
    name: `hearth_${file.replaceAll(/\W/g, "_")}_bytes`,
    help: `Size of the file ${file}.`,
    value: () => statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0,
  };
}
