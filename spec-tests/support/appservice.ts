import { writeFile } from "node:fs/promises";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Test } from "tap";
import { stringify } from "yaml";
import { TestClient } from "./client.ts";
import { type LoopbackAnswer, LoopbackServer } from "./loopback-server.ts";
import type { Json, TestEvent } from "./rooms.ts";
import type { TestServer } from "./server.ts";

/** A request that the server has sent to the application service. */
export interface ReceivedRequest {
  readonly method: string;
  /** Decoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Json;
}

interface Namespace {
  readonly regex: string;
  readonly exclusive: boolean;
}

export interface AppserviceOptions {
  readonly id?: string;
  readonly senderLocalpart?: string;
  readonly users?: readonly Namespace[];
  readonly aliases?: readonly Namespace[];
  readonly rooms?: readonly Namespace[];
  /** Further keys of the registration. */
  readonly more?: Json;
}

const serverName = "hearth.test";
const waitMs = 60_000;
const noAnswer: (
  request: ReceivedRequest,
) => Promise<LoopbackAnswer | undefined> | LoopbackAnswer | undefined = () => undefined;

/** An application service that does what a test says, behind real HTTP. */
export class TestAppservice {
  readonly id: string;
  readonly asToken: string;
  readonly hsToken: string;
  readonly senderId: string;
  /** All that came, in order. */
  readonly received: ReceivedRequest[] = [];
  /** Decides about each request; without an answer transactions and pings are taken, and queries find nothing. */
  verdict = noAnswer;
  readonly #options: AppserviceOptions;
  readonly #server = new LoopbackServer((request) => this.#answer(request));

  private constructor(options: AppserviceOptions) {
    const { id = "bridge", senderLocalpart = `_${id}_bot` } = options;
    this.id = id;
    this.asToken = `as-token-of-${id}`;
    this.hsToken = `hs-token-of-${id}`;
    this.senderId = `@${senderLocalpart}:${serverName}`;
    this.#options = options;
  }

  static async start(options: AppserviceOptions = {}): Promise<TestAppservice> {
    const appservice = new TestAppservice(options);
    await appservice.open();
    return appservice;
  }

  get url(): string {
    return this.#server.origin;
  }

  get registration(): Json {
    const { users, aliases = [], rooms = [], more = {} } = this.#options;
    return {
      id: this.id,
      url: this.url,
      as_token: this.asToken,
      hs_token: this.hsToken,
      sender_localpart: this.senderId.slice(1, this.senderId.indexOf(":")),
      namespaces: {
        users: users ?? [{ regex: `@_${this.id}_.*`, exclusive: true }],
        aliases,
        rooms,
      },
      ...more,
    };
  }

  /** Is reachable, after having been closed. */
  open(): Promise<void> {
    return this.#server.open();
  }

  /** Refuses connections. */
  close(): Promise<void> {
    return this.#server.close();
  }

  /** A client that acts as one of the application service's users, or as its own. */
  as(server: TestServer, userId = this.senderId, deviceId?: string): AppserviceUser {
    return new AppserviceUser(server, { userId, deviceId: deviceId ?? "", accessToken: this.asToken });
  }

  /** Registers a user of the application service, and acts as them. */
  async user(server: TestServer, localpart: string): Promise<AppserviceUser> {
    const body = { type: "m.login.application_service", username: localpart, inhibit_login: true };
    const answer = await this.as(server).post("/_matrix/client/v3/register", body, "register");
    if (answer.status !== 200) throw new Error(`registering ${localpart}: ${JSON.stringify(answer.body)}`);
    return this.as(server, `@${localpart}:${serverName}`);
  }

  get transactions(): readonly ReceivedRequest[] {
    return this.received.filter(({ path }) => path.includes("/transactions/"));
  }

  /** The events of all transactions, in order; a repeated one counts once. */
  get events(): readonly TestEvent[] {
    return this.#each("events") as TestEvent[];
  }

  /** What all transactions had under a key of theirs, in order. */
  told(key: string): readonly Json[] {
    return this.#each(key) as Json[];
  }

  #each(key: string): unknown[] {
    const byPath = new Map(this.transactions.map(({ path, body }) => [path, body]));
    return [...byPath.values()].flatMap((body) => {
      const value = body[key];
      return Array.isArray(value) ? value : value === undefined ? [] : [value];
    });
  }

  /** Waits until something is so, looking after each request. */
  until(what: string, isSo: () => boolean): Promise<void> {
    const seen = () =>
      JSON.stringify(this.received.map(({ method, path, body }) => ({ method, path, body })));
    return this.#server.until(waitMs, () => `${what}; received ${seen()}`, isSo);
  }

  /** Waits for an event. */
  async event(eventId: string): Promise<TestEvent> {
    await this.until(`event ${eventId}`, () => this.events.some((event) => event.event_id === eventId));
    const found = this.events.find((event) => event.event_id === eventId);
    if (found) return found;
    throw new Error("what was there is gone");
  }

  async #answer(request: IncomingMessage): Promise<LoopbackAnswer> {
    const url = new URL(request.url ?? "", this.url);
    const body = await text(request);
    const received: ReceivedRequest = {
      method: request.method ?? "",
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      headers: request.headers,
      body: body === "" ? {} : (JSON.parse(body) as Json),
    };
    this.received.push(received);
    return { body: {}, ...((await this.verdict(received)) ?? usual(received)) };
  }
}

/** An application service that acts as a user: each of its requests says so. */
class AppserviceUser extends TestClient {
  override call(
    operationId: string | undefined,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): ReturnType<TestClient["call"]> {
    const asserted = new URLSearchParams({ user_id: this.userId });
    if (this.deviceId !== "") asserted.set("device_id", this.deviceId);
    const joined = `${path}${path.includes("?") ? "&" : "?"}${asserted.toString()}`;
    return super.call(operationId, method, joined, body, headers);
  }
}

/** The server's configuration that names some application services. */
export async function appserviceConfig(
  t: Test,
  ...appservices: readonly TestAppservice[]
): Promise<{ application_services: string[] }> {
  const folder = t.testdir();
  const files = appservices.map(async ({ id, registration }) => {
    const file = join(folder, `${id}.yaml`);
    await writeFile(file, stringify(registration));
    return file;
  });
  return { application_services: await Promise.all(files) };
}

function usual({ path }: ReceivedRequest): LoopbackAnswer {
  const isTaken = path.includes("/_matrix/app/v1/transactions/") || path === "/_matrix/app/v1/ping";
  return isTaken ? { status: 200 } : { status: 404, body: { errcode: "M_NOT_FOUND" } };
}
