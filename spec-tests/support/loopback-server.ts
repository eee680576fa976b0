import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { TestCertificate } from "../../src/outbound/testing/certificate.ts";
import { freePort } from "./free-port.ts";
import { within } from "./within.ts";

/** What is answered to a request. Text is sent as it is, anything else as JSON. */
export interface LoopbackAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Decides about a request; without an answer it never gets one. */
type Answering = (
  request: IncomingMessage,
) => LoopbackAnswer | undefined | Promise<LoopbackAnswer | undefined>;

/** What the servers are made of that tests put in the place of others: HTTP on the loopback address. */
export class LoopbackServer implements AsyncDisposable {
  readonly #answering: Answering;
  readonly #tls: TestCertificate | undefined;
  #port = 0;
  #server: Server | undefined;
  #waiting: (() => void)[] = [];

  /** @param tls for HTTPS */
  constructor(answering: Answering, tls?: TestCertificate) {
    this.#answering = answering;
    this.#tls = tls;
  }

  get port(): number {
    return this.#port;
  }

  /** Its address and port, as other servers name it. */
  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get origin(): string {
    return `${this.#tls ? "https" : "http"}://${this.host}`;
  }

  /** Is reachable, also after having been closed: under the same port then. */
  async open(): Promise<void> {
    if (this.#port === 0) this.#port = await freePort();
    const listener: RequestListener = (request, response) => void this.#answer(request, response);
    const server = this.#tls ? createSecureServer(this.#tls, listener) : createServer(listener);
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#server = server;
  }

  /** Refuses connections. */
  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  }

  /** Waits until something is so, looking after each answer. @param what says what it waits for, should it be in vain */
  async until(timeoutMs: number, what: () => string, isSo: () => boolean): Promise<void> {
    const wait = async () => {
      while (!isSo()) {
        await new Promise<void>((resolve) => {
          this.#waiting.push(resolve);
        });
      }
    };
    await within(timeoutMs, what, wait());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await this.#answering(request);
    if (answer) {
      const { status, body = "", headers } = answer;
      response.writeHead(status, { "Content-Type": "application/json", ...headers });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
