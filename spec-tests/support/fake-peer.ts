import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { canonical } from "./canonical-json.ts";
import { policySignature, ServerKey, without } from "./server-key.ts";

type Json = Record<string, unknown>;

export interface PeerAnswer {
  readonly status: number;
  readonly body: Json;
}

/** What of a request is not as it should be. */
export interface RequestChanges {
  readonly destination?: string;
  readonly sig?: string;
  /** The body as it is sent and signed, in place of the content. */
  readonly text?: string;
}

/** Another homeserver, on the loopback address, that does as it is told. Events are those of room version 11. */
export class FakePeer implements AsyncDisposable {
  readonly name: string;
  readonly userId: string;
  /** What it has been sent, as bodies of transactions. */
  readonly received: Json[] = [];
  /** Of every request that it was sent. */
  readonly uris: string[] = [];
  /** How it answers requests whose URI begins like this. */
  readonly answers = new Map<string, (uri: string, body: Json) => PeerAnswer | Promise<PeerAnswer>>();
  readonly #served = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();
  readonly #server: Server;
  #transactions = 0;
  readonly #key: ServerKey;

  private constructor(server: Server) {
    this.#server = server;
    this.name = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#key = new ServerKey(this.name);
    this.userId = `@peer:${this.name}`;
  }

  static async start(tls: { readonly key: string; readonly cert: string }): Promise<FakePeer> {
    const server = createServer(tls).listen(0, "127.0.0.1");
    await once(server, "listening");
    const peer = new FakePeer(server);
    server.on("request", (request, response) => {
      const served = peer.#servedFor(request.url ?? "");
      if (served) return served(request, response);
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on(
        "end",
        () => void peer.#reply(request.url ?? "", Buffer.concat(chunks).toString(), response),
      );
    });
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** Has requests whose URI begins so answered by the test, from now on: for what is no JSON, or slow, or broken. */
  serve(start: string, answer: (request: IncomingMessage, response: ServerResponse) => void): void {
    this.#served.set(start, answer);
  }

  #servedFor(url: string) {
    this.uris.push(url);
    for (const [start, answer] of this.#served) if (url.startsWith(start)) return answer;
    return undefined;
  }

  async #reply(url: string, body: string, response: ServerResponse): Promise<void> {
    const answer = await this.#answer(url, body === "" ? {} : (JSON.parse(body) as Json));
    response.writeHead(answer.status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(answer.body));
  }

  async #answer(url: string, body: Json): Promise<PeerAnswer> {
    for (const [start, answer] of this.answers) if (url.startsWith(start)) return answer(url, body);
    if (url.startsWith("/_matrix/key/v2/server")) return { status: 200, body: this.#key.document() };
    if (!url.startsWith("/_matrix/federation/v1/send/")) {
      return { status: 404, body: { errcode: "M_UNRECOGNIZED", error: "not served" } };
    }
    this.received.push(body);
    return { status: 200, body: { pdus: {} } };
  }

  /** Sends a signed request. @param changes of what the header says */
  async request(
    server: { readonly url: string; readonly name: string },
    method: string,
    uri: string,
    content?: Json,
    changes: RequestChanges = {},
  ): Promise<PeerAnswer> {
    const response = await this.fetch(server, method, uri, content, changes);
    return { status: response.status, body: (await response.json()) as Json };
  }

  /** As `request`, for answers that are no JSON. */
  async fetch(
    server: { readonly url: string; readonly name: string },
    method: string,
    uri: string,
    content?: Json,
    changes: RequestChanges = {},
  ): Promise<Response> {
    const { text } = changes;
    const signed = {
      method,
      uri,
      origin: this.name,
      destination: server.name,
      content: text === undefined ? content : JSON.rawJSON("0"),
    };
    const signedText = canonical(signed).replace('"content":0,', () => `"content":${text},`);
    const header = [
      `origin="${this.name}"`,
      `destination="${changes.destination ?? server.name}"`,
      `key="ed25519:1"`,
      `sig="${changes.sig ?? this.#key.signature(signedText)}"`,
    ];
    return fetch(`${server.url}${uri}`, {
      method,
      headers: { Authorization: `X-Matrix ${header.join(",")}`, "Content-Type": "application/json" },
      ...((text ?? content) && { body: text ?? JSON.stringify(content) }),
    });
  }

  /** Sends EDUs in one transaction. */
  async sendEdus(server: { readonly url: string; readonly name: string }, ...edus: Json[]): Promise<void> {
    const uri = `/_matrix/federation/v1/send/edus-${++this.#transactions}`;
    const content = { origin: this.name, origin_server_ts: Date.now(), pdus: [], edus };
    const { status, body } = await this.request(server, "PUT", uri, content);
    if (status !== 200) throw new Error(`a transaction was answered ${status}: ${JSON.stringify(body)}`);
  }

  /** The contents of the EDUs of a type that it has been sent. */
  edus(type: string): Json[] {
    return this.received
      .flatMap((transaction) => (transaction["edus"] ?? []) as { edu_type: string; content: Json }[])
      .filter((edu) => edu.edu_type === type)
      .map(({ content }) => content);
  }

  /** See {@link ServerKey.event}; made now unless the fields say otherwise. */
  event(fields: Json): { readonly id: string; readonly pdu: Json } {
    return this.#key.event({ origin_server_ts: Date.now(), ...fields });
  }

  /** An event of another server with this one's signature beside those that it has. */
  countersigned(event: Json): Json {
    return this.#key.countersigned(event);
  }

  /** What it signs events with, as its document of keys has it. */
  get publicKey(): string {
    return this.#key.publicKey;
  }

  /** Its answer to `POST /_matrix/policy/v1/sign` for what it wants in a room of which it is the policy server. */
  policySignature(event: Json): Json {
    return policySignature(this.name, this.#key, event);
  }

  /** Joins its user to a public room. @param version of the room; in those before 11 its messages are alike */
  async join(
    server: { readonly url: string; readonly name: string },
    roomId: string,
    version = "11",
  ): Promise<JoinedRoom> {
    const room = encodeURIComponent(roomId);
    const user = encodeURIComponent(this.userId);
    const made = await this.request(
      server,
      "GET",
      `/_matrix/federation/v1/make_join/${room}/${user}?ver=${version}`,
    );
    if (made.status !== 200) throw new Error(JSON.stringify(made.body));
    const named = ["1", "2"].includes(version)
      ? { event_id: `$join-${++this.#transactions}:${this.name}` }
      : {};
    const { id, pdu } = this.event({ ...without(made.body["event"] as Json, "origin"), ...named });
    const uri = `/_matrix/federation/v2/send_join/${room}/${encodeURIComponent(id)}`;
    const { status, body } = await this.request(server, "PUT", uri, pdu);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return { joinId: id, join: pdu, state: body["state"] as Json[], authChain: body["auth_chain"] as Json[] };
  }
}

export interface JoinedRoom {
  readonly joinId: string;
  readonly join: Json;
  readonly state: readonly Json[];
  readonly authChain: readonly Json[];
}
