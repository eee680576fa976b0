import { isJsonObject } from "./json.ts";
import type { RoomEvent } from "./pdu.ts";

/** The key of a PDU that makes its event sticky (MSC4354, under its unstable name). It does not survive redaction. */
export const stickyKey = "msc4354_sticky";

const maxStickyDurationMs = 3_600_000;

/**
 * Until when an event is sticky: "The start time is min(received_ts, origin_server_ts)", and "Calculate the end time as
 * start_time + min(sticky_duration_ms, 3600000)".
 * @param receivedTs in milliseconds since the epoch, as the result
 * @returns `undefined` for an event that is not
 */
export function stickyUntilTs(
  { pdu, originServerTs }: Pick<RoomEvent, "pdu" | "originServerTs">,
  receivedTs: number,
): number | undefined {
  const sticky = pdu[stickyKey];
  const durationMs = isJsonObject(sticky) ? sticky["duration_ms"] : undefined;
  if (typeof durationMs !== "number" || !Number.isInteger(durationMs) || durationMs < 0) return undefined;
  return Math.min(receivedTs, originServerTs) + Math.min(durationMs, maxStickyDurationMs);
}
