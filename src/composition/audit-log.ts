import type { Config } from "../config/schema.ts";
import { AuditLog } from "../admin/audit-log.ts";
import type { Stores } from "../storage/database.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** What is remembered of administrators. */
export function composeAuditLog(
  config: Config,
  { auditLog: store }: Stores,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): AuditLog {
  return new AuditLog(store, config.audit.retention_days * dayMs, clock, log);
}
