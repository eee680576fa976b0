import type { Logger } from "./log.ts";
import type { EndedRequest } from "./observations.ts";

/**
 * Logs requests that took long. Not among them are those whose client wanted to wait, for as long as it did.
 * @param slowMs from which on a request is slow
 */
export function slowRequestLog(slowMs: number, log: Logger): (request: EndedRequest) => void {
  return ({ requestId, operationId, method, path, search, status, durationMs }) => {
    if (durationMs < slowMs || durationMs < slowMs + askedWaitMs(search)) return;
    const rounded = Math.round(durationMs);
    log.warn({ requestId, operationId, method, path, status, durationMs: rounded }, "slow request");
  };
}

/** How long a client wanted to wait for news (`timeout`), or for a file (`timeout_ms`). */
function askedWaitMs(search: string): number {
  const query = new URLSearchParams(search);
  const waitMs = Number(query.get("timeout") ?? query.get("timeout_ms") ?? 0);
  return waitMs > 0 ? waitMs : 0;
}
