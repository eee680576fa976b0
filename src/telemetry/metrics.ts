import type * as prometheus from "prom-client";
import type { Observations } from "./observations.ts";

/** A number that is looked up whenever somebody asks for the metrics. */
export interface Measured {
  /** Such as `hearth_stream_position`. */
  readonly name: string;
  readonly help: string;
  readonly value: () => number | Promise<number>;
}

type Library = Pick<typeof prometheus, "Registry" | "Gauge" | "Histogram" | "collectDefaultMetrics">;

const msPerSecond = 1_000;
const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const commitBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const groupBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** What the server does, in numbers, in the form that Prometheus reads. Labels have values that the program knows beforehand. */
export class Metrics {
  readonly #registry: prometheus.Registry;

  private constructor(registry: prometheus.Registry) {
    this.#registry = registry;
  }

  /** Begins to count. The library is loaded only here, so that a server without metrics pays nothing for it. */
  static async open(observations: Observations, measured: readonly Measured[]): Promise<Metrics> {
    // By its default export: the library is no ES module, and only that is there once it has been packed.
    const { default: library } = await import("prom-client");
    const registry = new library.Registry();
    library.collectDefaultMetrics({ register: registry });
    for (const gauge of measured) measure(library, registry, gauge);
    countRequests(library, registry, observations);
    countCommits(library, registry, observations);
    return new Metrics(registry);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

function measure({ Gauge }: Library, registry: prometheus.Registry, { name, help, value }: Measured): void {
  const gauge: prometheus.Gauge = new Gauge({
    name,
    help,
    registers: [],
    collect: async () => gauge.set(await value()),
  });
  registry.registerMetric(gauge);
}

function countRequests(
  { Histogram }: Library,
  registry: prometheus.Registry,
  observations: Observations,
): void {
  const registers = [registry];
  const served = new Histogram({
    name: "hearth_http_request_seconds",
    help: "From a request's arrival to its answer, waiting for news included.",
    labelNames: ["operation", "status"] as const,
    buckets: requestBuckets,
    registers,
  });
  observations.requests.follow(({ operationId, status, durationMs }) =>
    served.observe(
      { operation: operationId, status: `${Math.floor(status / 100)}xx` },
      durationMs / msPerSecond,
    ),
  );
  const sent = new Histogram({
    name: "hearth_federation_request_seconds",
    help: "Requests to other servers, by what became of them.",
    labelNames: ["outcome"] as const,
    buckets: requestBuckets,
    registers,
  });
  for (const outcome of ["answered", "refused", "unreachable"]) sent.zero({ outcome });
  observations.federationRequests.follow(({ outcome, durationMs }) =>
    sent.observe({ outcome }, durationMs / msPerSecond),
  );
}

function countCommits(
  { Histogram }: Library,
  registry: prometheus.Registry,
  observations: Observations,
): void {
  const registers = [registry];
  const commits = new Histogram({
    name: "hearth_database_commit_seconds",
    help: "How long a group of writes took until it was on disk.",
    buckets: commitBuckets,
    registers,
  });
  const groups = new Histogram({
    name: "hearth_database_commit_writes",
    help: "How many writes were committed together.",
    buckets: groupBuckets,
    registers,
  });
  observations.commits.follow(({ writes, durationMs }) => {
    commits.observe(durationMs / msPerSecond);
    groups.observe(writes);
  });
  const resolutions = new Histogram({
    name: "hearth_state_resolution_seconds",
    help: "How long it took to resolve the states of a fork.",
    buckets: requestBuckets,
    registers,
  });
  observations.resolutions.follow((durationMs) => resolutions.observe(durationMs / msPerSecond));
}
