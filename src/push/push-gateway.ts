import { isJsonObject } from "../protocol/json.ts";
import type { OutboundHttp } from "../outbound/outbound-http.ts";

/** A gateway has answered that it could not do its work. */
export class PushGatewayError extends Error {
  readonly status: number;

  constructor(host: string, status: number) {
    super(`the push gateway on ${host} answered ${status}`);
    this.name = "PushGatewayError";
    this.status = status;
  }
}

const timeoutMs = 30_000;
const maxResponseBytes = 64 * 1024;

/** Sends notifications to push gateways (push gateway API, `POST /_matrix/push/v1/notify`). */
export class PushGatewayClient {
  readonly #http: Pick<OutboundHttp, "request">;

  constructor(http: Pick<OutboundHttp, "request">) {
    this.#http = http;
  }

  /**
   * @param notification the body of the request, as JSON text
   * @returns the pushkeys that the gateway does not want to hear of again
   * @throws PushGatewayError, OutboundError when it has not been taken
   */
  async notify(url: URL, notification: string, signal: AbortSignal): Promise<readonly unknown[]> {
    const { status, body } = await this.#http.request({
      method: "POST",
      url,
      headers: { "Content-Type": "application/json" },
      body: notification,
      timeoutMs,
      maxResponseBytes,
      signal,
    });
    if (status < 200 || status > 299) throw new PushGatewayError(url.host, status);
    return rejectedIn(body.toString());
  }
}

/** A gateway that says "success" has taken the notification, whatever else it says. */
function rejectedIn(text: string): readonly unknown[] {
  try {
    const answer: unknown = JSON.parse(text);
    return isJsonObject(answer) && Array.isArray(answer["rejected"]) ? answer["rejected"] : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
