import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import { createServer, type Server } from "node:net";
import { canonical } from "./canonical-json.ts";
import { ServerKey } from "./server-key.ts";

export type Json = Record<string, unknown>;

export interface Signed {
  readonly id: string;
  readonly text: string;
}

/** An event as it is sent. */
export function signedText(key: ServerKey, fields: Json): Signed {
  const { id, pdu } = key.event(fields);
  return { id, text: JSON.stringify(pdu) };
}

/** Answers a request. @returns false for one that it has no answer to */
export type Answering = (request: IncomingMessage, body: string, response: ServerResponse) => boolean;

/** Servers on addresses of the loopback network, all on one port. */
export class FakeServers implements AsyncDisposable {
  readonly keys = new Map<string, ServerKey>();
  readonly #servers: (Server | SecureServer)[] = [];
  /** How many requests each server has had. */
  readonly requests = new Map<string, number>();

  key(name: string): ServerKey {
    const known = this.keys.get(name);
    if (known) return known;
    const key = new ServerKey(name);
    this.keys.set(name, key);
    return key;
  }

  /** Starts a server that tells its key, those of others, and what `answering` has to say. */
  async start(
    address: string,
    port: number,
    tls: { readonly key: string; readonly cert: string },
    answering: Answering,
  ): Promise<void> {
    const name = `${address}:${port}`;
    const key = this.key(name);
    const server = createSecureServer(tls, (request, response) => {
      this.requests.set(name, (this.requests.get(name) ?? 0) + 1);
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        const { url = "" } = request;
        if (url.startsWith("/_matrix/key/v2/server")) return sendJson(response, key.document());
        if (url.startsWith("/_matrix/key/v2/query")) return sendJson(response, this.#query(body));
        if (answering(request, body, response)) return;
        response.writeHead(404, { "Content-Type": "application/json" });
        response.end('{"errcode":"M_UNRECOGNIZED","error":"not served"}');
      });
    });
    server.listen(port, address);
    await once(server, "listening");
    this.#servers.push(server);
  }

  /** Starts what takes connections and never answers. */
  async startSilent(address: string, port: number): Promise<void> {
    this.key(`${address}:${port}`);
    const server = createServer((socket) => socket.on("error", () => socket.destroy()).resume());
    server.listen(port, address);
    await once(server, "listening");
    this.#servers.push(server);
  }

  /** Sends a signed request in the name of one of the servers. */
  async request(
    origin: string,
    server: { readonly url: string; readonly name: string },
    method: string,
    uri: string,
    content?: Json,
  ): Promise<{ readonly status: number; readonly body: Json }> {
    const signed = { method, uri, origin, destination: server.name, content };
    const sig = this.key(origin).signature(canonical(signed));
    const header = `X-Matrix origin="${origin}",destination="${server.name}",key="ed25519:1",sig="${sig}"`;
    const response = await fetch(`${server.url}${uri}`, {
      method,
      headers: { Authorization: header, "Content-Type": "application/json" },
      ...(content && { body: JSON.stringify(content) }),
    });
    return { status: response.status, body: (await response.json()) as Json };
  }

  #query(body: string): Json {
    const { server_keys: asked } = JSON.parse(body) as { server_keys: Json };
    const found = Object.keys(asked).map((name) => this.keys.get(name)?.document());
    return { server_keys: found.filter((document) => document !== undefined) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      if ("closeAllConnections" in server) server.closeAllConnections();
      server.close();
      server.unref();
    }
    await Promise.resolve();
  }
}

export function sendJson(response: ServerResponse, body: Json): void {
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}
