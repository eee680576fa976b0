import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { json } from "node:stream/consumers";
import { until } from "./within.ts";

const waitMs = 30_000;

interface ReceivedSms {
  readonly to: string;
  readonly text: string;
  readonly id: string;
}

/** A gateway for text messages on the loopback address, which keeps what it is told. */
export class SmsGateway implements AsyncDisposable {
  readonly #server: Server;
  readonly #port: number;
  readonly received: ReceivedSms[] = [];
  /** Statuses of the next answers; 200 when there are none. */
  readonly verdicts: number[] = [];
  attempts = 0;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.#port = port;
  }

  static async start(): Promise<SmsGateway> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("the gateway has no port");
    const gateway = new SmsGateway(server, address.port);
    server.on("request", (request, response) => {
      const answer = async () => {
        gateway.attempts += 1;
        const body = (await json(request)) as ReceivedSms;
        const isKnown = request.headers.authorization === "Bearer gateway secret";
        const status = isKnown ? (gateway.verdicts.shift() ?? 200) : 401;
        if (status === 200) gateway.received.push(body);
        response.writeHead(status).end();
      };
      void answer();
    });
    return gateway;
  }

  get config(): { sms: Record<string, unknown> } {
    return {
      sms: {
        gateway_url: `http://127.0.0.1:${this.#port}/messages`,
        gateway_token: "gateway secret",
        allowed_private_ranges: ["127.0.0.0/8"],
      },
    };
  }

  /** Waits for the so-manieth text message to a number. */
  async sms(to: string, count = 1): Promise<ReceivedSms> {
    const found = () => this.received.filter((message) => message.to === to)[count - 1];
    await until(waitMs, `text message ${count} to ${to}`, () => found() !== undefined);
    return found() as ReceivedSms;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}

/** The number that somebody has to type. */
export function codeIn({ text }: ReceivedSms): string {
  const code = /\b\d{6}\b/.exec(text)?.[0];
  if (code === undefined) throw new Error(`no number in ${text}`);
  return code;
}
