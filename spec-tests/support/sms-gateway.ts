import type { IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { type LoopbackAnswer, LoopbackServer } from "./loopback-server.ts";

const waitMs = 30_000;

interface ReceivedSms {
  readonly to: string;
  readonly text: string;
  readonly id: string;
}

/** A gateway for text messages on the loopback address, which keeps what it is told. */
export class SmsGateway implements AsyncDisposable {
  readonly #server = new LoopbackServer((request) => this.#answer(request));
  readonly received: ReceivedSms[] = [];
  /** Statuses of the next answers; 200 when there are none. */
  readonly verdicts: number[] = [];
  attempts = 0;

  static async start(): Promise<SmsGateway> {
    const gateway = new SmsGateway();
    await gateway.#server.open();
    return gateway;
  }

  get config(): { sms: Record<string, unknown> } {
    return {
      sms: {
        gateway_url: `${this.#server.origin}/messages`,
        gateway_token: "gateway secret",
        allowed_private_ranges: ["127.0.0.0/8"],
      },
    };
  }

  /** Waits for the so-manieth text message to a number. */
  async sms(to: string, count = 1): Promise<ReceivedSms> {
    const found = () => this.received.filter((message) => message.to === to)[count - 1];
    await this.#server.until(
      waitMs,
      () => `text message ${count} to ${to}`,
      () => found() !== undefined,
    );
    return found() as ReceivedSms;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.close();
  }

  async #answer(request: IncomingMessage): Promise<LoopbackAnswer> {
    this.attempts += 1;
    const body = (await json(request)) as ReceivedSms;
    const isKnown = request.headers.authorization === "Bearer gateway secret";
    const status = isKnown ? (this.verdicts.shift() ?? 200) : 401;
    if (status === 200) this.received.push(body);
    return { status };
  }
}

/** The number that somebody has to type. */
export function codeIn({ text }: ReceivedSms): string {
  const code = /\b\d{6}\b/.exec(text)?.[0];
  if (code === undefined) throw new Error(`no number in ${text}`);
  return code;
}
