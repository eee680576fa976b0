import type { Clock } from "../telemetry/clock.ts";

/**
 * What work comes to, or `late` once it has taken too long. The work goes on even so.
 * @throws what the work throws in time
 */
export async function withinTime<Value, Late>(
  clock: Clock,
  maxWaitMs: number,
  work: Promise<Value>,
  late: Late,
): Promise<Value | Late> {
  const timeUp = Promise.withResolvers<Late>();
  using _timer = clock.setTimer(maxWaitMs, () => timeUp.resolve(late));
  return await Promise.race([work, timeUp.promise]);
}
