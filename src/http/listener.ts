import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { StartupError } from "../config/startup-error.ts";

export interface ListenerOptions {
  readonly bind: string;
  readonly port: number;
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

/** How long requests in flight may take to finish when the server stops. */
const drainTimeoutMs = 10_000;

/** How often connections that have become idle meanwhile are closed then. */
const sweepIntervalMs = 20;

/** One listening socket with its application. */
export class Listener implements AsyncDisposable {
  readonly #server: Server;
  readonly #options: ListenerOptions;

  /** @throws StartupError when the TLS files cannot be used. */
  constructor(app: RequestListener, options: ListenerOptions) {
    this.#options = options;
    this.#server = makeServer(app, options.tls);
    // Longer than the longest poll, so that a client's next request finds its connection open.
    this.#server.keepAliveTimeout = 75_000;
    // Long enough for a large upload over a slow line; whoever reads a body sees to it that something arrives.
    this.#server.requestTimeout = 60 * 60 * 1000;
  }

  /** The address that clients on this machine can use. */
  get url(): string {
    const address = this.#server.address();
    const port = typeof address === "object" && address ? address.port : this.#options.port;
    const host = this.#options.bind.includes(":") ? `[${this.#options.bind}]` : this.#options.bind;
    return `${this.#options.tls ? "https" : "http"}://${host}:${port}`;
  }

  /** @throws StartupError when the port is taken or may not be used. */
  async listen(): Promise<void> {
    const { bind, port } = this.#options;
    this.#server.listen(port, bind);
    try {
      await once(this.#server, "listening");
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
      const reason = code === "EADDRINUSE" ? "is already in use" : `cannot be used (${code})`;
      throw new StartupError(
        "port-in-use",
        `Port ${port} on ${bind} ${reason}: choose another in listeners.`,
        {
          cause: error,
        },
      );
    }
  }

  /** Takes no more connections, lets requests in flight finish, then closes what is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    // A client that has more to ask does so over a new connection, which is refused.
    this.#server.prependListener("request", (_request, response) => {
      response.shouldKeepAlive = false;
    });
    this.#server.close();
    // Connections become idle when their requests are answered, and would stay open for the client's next.
    const sweep = setInterval(() => this.#server.closeIdleConnections(), sweepIntervalMs);
    const timer = setTimeout(() => this.#server.closeAllConnections(), drainTimeoutMs);
    await closed;
    clearInterval(sweep);
    clearTimeout(timer);
  }
}

function makeServer(app: RequestListener, tls: ListenerOptions["tls"]): Server {
  if (!tls) return createHttpServer(app);
  // Loaded when it is needed: most servers stand behind a proxy that does TLS for them.
  const { createServer: createHttpsServer } = process.getBuiltinModule("node:https");
  try {
    return createHttpsServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, app);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new StartupError(
      "bad-tls",
      `The certificate ${tls.cert} and key ${tls.key} cannot be used: ${message}`,
      {
        cause: error,
      },
    );
  }
}
