import { OutboundError } from "../outbound/errors.ts";
import type { OutboundHttp } from "../outbound/outbound-http.ts";
import { DeliveryError } from "./errors.ts";
import type { WrittenMessage } from "./message-writer.ts";
import type { MessageTransport } from "./transport.ts";

const timeoutMs = 30_000;
const maxResponseBytes = 64 * 1024;
/** The gateway is busy, or not there just now. */
const passingStatuses: readonly number[] = [408, 425, 429];

/** Text messages by way of a gateway of the organisation's choice: a POST of JSON for each. */
export class SmsTransport implements MessageTransport {
  readonly #http: OutboundHttp;
  readonly #url: URL;
  readonly #token: string | null;

  constructor(http: OutboundHttp, url: URL, token: string | null) {
    this.#http = http;
    this.#url = url;
    this.#token = token;
  }

  async send(address: string, { sms }: WrittenMessage, id: string): Promise<void> {
    const status = await this.#post(JSON.stringify({ to: address, text: sms, id }), id);
    if (status >= 200 && status < 300) return;
    const isPermanent = status >= 400 && status < 500 && !passingStatuses.includes(status);
    throw new DeliveryError(`the gateway for text messages answered ${status}`, isPermanent);
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  async #post(body: string, id: string): Promise<number> {
    try {
      const { status } = await this.#http.request({
        method: "POST",
        url: this.#url,
        headers: {
          "Content-Type": "application/json",
          "Idempotency-Key": id,
          ...(this.#token !== null && { Authorization: `Bearer ${this.#token}` }),
        },
        body,
        timeoutMs,
        maxResponseBytes,
      });
      return status;
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      throw new DeliveryError(error.message, false, { cause: error });
    }
  }
}
