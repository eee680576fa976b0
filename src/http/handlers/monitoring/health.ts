import { getLiveness, getReadiness } from "../../../api/monitoring/health.ts";
import type { Readiness } from "../../../telemetry/readiness.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import { Reply } from "../../reply.ts";

export function healthHandlers(readiness: Readiness): BoundEndpoint[] {
  return [
    handler(getLiveness, () => Promise.resolve({ status: "ok" })),
    handler(getReadiness, async () => {
      const reason = await readiness.obstacle();
      return reason === undefined ? { status: "ready" } : new Reply(503, { status: "not ready", reason });
    }),
  ];
}
