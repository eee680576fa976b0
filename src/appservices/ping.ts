import { OutboundError } from "../outbound/errors.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { Clock } from "../telemetry/clock.ts";
import { type AppserviceAnswer, type AppserviceClient, isSuccess } from "./appservice-client.ts";

const timeoutMs = 30_000;
/** What a faulty application service answers is shown to whoever looks for the fault. */
const shownBodyLength = 4_096;

/**
 * Asks an application service whether it hears the server (application service API, "Pinging").
 * @param client absent when its registration has no URL
 * @returns how long the answer took, in milliseconds
 * @throws MatrixError M_URL_NOT_SET, M_BAD_STATUS, M_CONNECTION_FAILED, M_CONNECTION_TIMEOUT
 */
export async function ping(
  client: AppserviceClient | undefined,
  transactionId: string | undefined,
  clock: Clock,
): Promise<number> {
  if (!client) throw new MatrixError("M_URL_NOT_SET", "The application service's registration has no url");
  const startMs = clock.monotonicMs();
  const { status, text } = await answerOf(client, transactionId);
  if (!isSuccess({ status, text })) {
    throw new MatrixError("M_BAD_STATUS", `The application service answered ${status}`, {
      status,
      body: text.slice(0, shownBodyLength),
    });
  }
  return Math.round(clock.monotonicMs() - startMs);
}

async function answerOf(
  client: AppserviceClient,
  transactionId: string | undefined,
): Promise<AppserviceAnswer> {
  const body = JSON.stringify({ transaction_id: transactionId });
  try {
    return await client.request({ method: "POST", path: "/_matrix/app/v1/ping", body, timeoutMs });
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    if (error.failure === "timeout") throw new MatrixError("M_CONNECTION_TIMEOUT", error.message);
    throw new MatrixError("M_CONNECTION_FAILED", error.message);
  }
}
