import type { ServerOverview } from "../../../admin/server-overview.ts";
import { configFindings, reportedKeys } from "../../../admin/configuration-report.ts";
import * as api from "../../../api/admin/operation.ts";
import type { Appservice } from "../../../appservices/registration.ts";
import { type Config, configSchema } from "../../../config/schema.ts";
import type { AppserviceProgress } from "../../../storage/appservices.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";

export interface OperationParts {
  readonly overview: ServerOverview;
  readonly config: Config;
  readonly appservices: readonly Appservice[];
  /** How far they have been told. */
  readonly standing: () => Promise<readonly Omit<AppserviceProgress, "waiting">[]>;
  /** The newest position of the stream. */
  readonly position: () => number;
}

/** How the server itself is. */
export function operationHandlers(parts: OperationParts): BoundEndpoint[] {
  const { overview, config, appservices, standing, position } = parts;
  return [
    handler(api.getServerOverview, async () => {
      const now = await overview.now();
      return {
        server_name: now.serverName,
        version: now.version,
        node_version: now.nodeVersion,
        started_ts: now.startedTs,
        now_ts: now.nowTs,
        obstacle: now.obstacle ?? null,
        resident_bytes: now.residentBytes,
        free_disk_bytes: now.freeDiskBytes,
        measured: now.measured,
        traffic_interval_ms: now.trafficIntervalMs,
        traffic: now.traffic.map(({ medianMs, slowMs, ...counts }) => ({
          ...counts,
          median_ms: medianMs,
          slow_ms: slowMs,
        })),
      };
    }),
    handler(api.listAppservices, async () => {
      const rows = await standing();
      const newest = position();
      return {
        appservices: appservices.map((appservice) =>
          appserviceJson(
            appservice,
            rows.find(({ appserviceId }) => appserviceId === appservice.id),
            newest,
          ),
        ),
      };
    }),
    handler(api.getConfiguration, async () => ({
      findings: configFindings(config),
      keys: reportedKeys(configSchema, config).map(({ key, value, isDefault }) => ({
        key,
        value,
        is_default: isDefault,
      })),
    })),
  ];
}

function appserviceJson(
  { id, senderId, registration }: Appservice,
  progress: Omit<AppserviceProgress, "waiting"> | undefined,
  position: number,
): object {
  return {
    id,
    sender: senderId,
    url: registration.url === null ? null : withoutUser(registration.url),
    protocols: registration.protocols,
    rate_limited: registration.isRateLimited,
    user_namespaces: registration.users.length,
    alias_namespaces: registration.aliases.length,
    room_namespaces: registration.rooms.length,
    // Of the one stream: how many changes, most of which it may not be interested in, are before it.
    behind: progress ? Math.max(0, position - progress.upTo) : null,
    failing_since_ts: progress?.failingSinceTs ?? null,
    last_error: progress?.lastError ?? null,
  };
}

/** A URL may have a password in it. */
function withoutUser(text: string): string {
  const url = URL.parse(text);
  return url ? url.origin + url.pathname : "";
}
