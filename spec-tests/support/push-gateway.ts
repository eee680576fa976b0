import { writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import type { Test } from "tap";
import { type TestCertificate, testCertificate } from "../../src/outbound/testing/certificate.ts";
import type { TestClient } from "./client.ts";
import { type LoopbackAnswer, LoopbackServer } from "./loopback-server.ts";
import type { Json } from "./rooms.ts";

const waitMs = 15_000;
const path = "/_matrix/push/v1/notify";

export interface ReceivedNotification {
  readonly event_id?: string;
  readonly room_id?: string;
  readonly type?: string;
  readonly sender?: string;
  readonly sender_display_name?: string;
  readonly room_name?: string;
  readonly room_alias?: string;
  readonly user_is_target?: boolean;
  readonly prio?: string;
  readonly content?: Json;
  readonly counts?: Json;
  readonly devices: readonly (Json & { readonly pushkey: string; readonly tweaks?: Json })[];
}

/** What a gateway answers to a notification: a status, or pushkeys that it rejects; `undefined` takes it. */
type Verdict = { readonly status?: number; readonly rejected?: readonly string[] } | undefined;

/** A push gateway on the loopback address, which keeps what it is told. */
export class PushGateway implements AsyncDisposable {
  /** Each request's notification, in the order of their coming; those that were answered with an error too. */
  readonly received: ReceivedNotification[] = [];
  /** Decides about each notification. */
  verdict: (notification: ReceivedNotification) => Verdict = () => undefined;
  readonly #certificate: TestCertificate;
  readonly #server: LoopbackServer;

  private constructor(certificate: TestCertificate) {
    this.#certificate = certificate;
    this.#server = new LoopbackServer((request) => this.#answer(request), certificate);
  }

  static async start(): Promise<PushGateway> {
    const gateway = new PushGateway(testCertificate("127.0.0.1"));
    await gateway.open();
    return gateway;
  }

  get origin(): string {
    return this.#server.origin;
  }

  get url(): string {
    return `${this.origin}${path}`;
  }

  /** The server's configuration that lets it reach this gateway. */
  async config(t: Test): Promise<{ push: Json }> {
    const file = join(t.testdir(), "gateway.pem");
    await writeFile(file, this.#certificate.cert);
    return { push: { allowed_private_ranges: ["127.0.0.0/8"], extra_ca_file: file } };
  }

  /** Is reachable, after having been closed. */
  open(): Promise<void> {
    return this.#server.open();
  }

  /** Refuses connections. */
  close(): Promise<void> {
    return this.#server.close();
  }

  /** Waits until the notifications received so far, for a pushkey, fulfil a condition. */
  async until(
    pushkey: string,
    what: string,
    isEnough: (received: readonly ReceivedNotification[]) => boolean,
  ): Promise<readonly ReceivedNotification[]> {
    const described = () => `${what}; received ${JSON.stringify(this.of(pushkey))}`;
    await this.#server.until(waitMs, described, () => isEnough(this.of(pushkey)));
    return this.of(pushkey);
  }

  /** Waits for the notification of an event. */
  async event(pushkey: string, eventId: string): Promise<ReceivedNotification> {
    const isIt = ({ event_id: id }: ReceivedNotification) => id === eventId;
    const received = await this.until(pushkey, `event ${eventId}`, (all) => all.some(isIt));
    const found = received.find(isIt);
    if (found) return found;
    throw new Error("what was there is gone");
  }

  of(pushkey: string): readonly ReceivedNotification[] {
    return this.received.filter(({ devices }) => devices.some((device) => device.pushkey === pushkey));
  }

  /** The events that a pushkey has been told of, in order. */
  eventsOf(pushkey: string): readonly string[] {
    return this.of(pushkey).flatMap(({ event_id: id }) => (id === undefined ? [] : [id]));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #answer(request: IncomingMessage): Promise<LoopbackAnswer> {
    const { notification } = (await json(request)) as { notification: ReceivedNotification };
    this.received.push(notification);
    const isNotify = request.method === "POST" && request.url === path;
    const { status = isNotify ? 200 : 404, rejected = [] } = this.verdict(notification) ?? {};
    return { status, body: { rejected } };
  }
}

/** What a client sends to have a pusher. */
export function pusherBody(url: string, pushkey: string, rest: Json = {}): Json {
  return {
    kind: "http",
    app_id: "test.app",
    pushkey,
    app_display_name: "Test",
    device_display_name: "Phone",
    profile_tag: "tag",
    lang: "en",
    data: { url },
    ...rest,
  };
}

export async function setPusher(client: TestClient, body: Json): Promise<void> {
  const { status, body: answer } = await client.post("/_matrix/client/v3/pushers/set", body, "postPusher");
  if (status !== 200) throw new Error(`postPusher answered ${status}: ${JSON.stringify(answer)}`);
}

export async function pushkeysOf(client: TestClient): Promise<string[]> {
  const { body } = await client.get("/_matrix/client/v3/pushers", "getPushers");
  return (body["pushers"] as { pushkey: string }[]).map(({ pushkey }) => pushkey);
}
