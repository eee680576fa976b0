import { getMetrics } from "../../../api/monitoring/metrics.ts";
import type { Metrics } from "../../../telemetry/metrics.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import { Reply } from "../../reply.ts";

export function metricsHandlers(metrics: Metrics): BoundEndpoint[] {
  return [
    handler(
      getMetrics,
      async () => new Reply(200, await metrics.text(), { "content-type": metrics.contentType }),
    ),
  ];
}
