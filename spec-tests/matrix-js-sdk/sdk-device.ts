import {
  createClient,
  type ICreateClientOpts,
  type MatrixClient,
  type MatrixEvent,
  MemoryStore,
  type Room,
  SyncState,
} from "matrix-js-sdk";
import { type CryptoApi, CryptoEvent, type VerificationRequest } from "matrix-js-sdk/lib/crypto-api/index.js";
import { type Logger, logger } from "matrix-js-sdk/lib/logger.js";
import type { TestServer } from "../support/server.ts";
import { patienceMs, until } from "../support/within.ts";

/** Somebody with an account and a password, and with a recovery key once they have made one. */
export class Person {
  readonly localpart: string;
  readonly password = "correct horse battery staple";
  recoveryKey: Uint8Array<ArrayBuffer> | undefined;

  constructor(localpart: string) {
    this.localpart = localpart;
  }
}

/** An answer of the server to a device. */
export interface Answer {
  /** Method and path. */
  readonly request: string;
  readonly status: number;
  readonly errcode: string | undefined;
}

const silent: Logger = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  getChild: () => silent,
};

/** The SDK leaves the timers of its requests behind, some for two minutes: they must not keep the test's process alive. */
const setTimer = globalThis.setTimeout;
globalThis.setTimeout = Object.assign(
  (...args: Parameters<typeof setTimer>) => setTimer(...args).unref(),
  setTimer,
);

// Parts of the SDK log here, whatever logger they are given.
Object.assign(logger, silent, { log: silent.debug });

/** A device of somebody: a client of the matrix-js-sdk with encryption, in memory, that syncs. */
export class SdkDevice {
  readonly client: MatrixClient;
  readonly person: Person;
  /** All that the server has answered to this device. */
  readonly answers: Answer[];
  /** Verifications that others have asked for. */
  readonly verificationRequests: VerificationRequest[] = [];

  private constructor(client: MatrixClient, person: Person, answers: Answer[]) {
    this.client = client;
    this.person = person;
    this.answers = answers;
    client.on(CryptoEvent.VerificationRequestReceived, (request) => this.verificationRequests.push(request));
  }

  /** Makes an account, whose first device this is. */
  static async register(server: TestServer, person: Person): Promise<SdkDevice> {
    const guest = createClient({ baseUrl: server.url, logger: silent });
    const { localpart, password } = person;
    const made = await guest.register(localpart, password, null, { type: "m.login.dummy" });
    return SdkDevice.#start(server, person, made);
  }

  /** Logs in: another device. */
  static async login(server: TestServer, person: Person): Promise<SdkDevice> {
    const stranger = createClient({ baseUrl: server.url, logger: silent });
    const identifier = { type: "m.id.user", user: person.localpart } as const;
    const session = await stranger.loginRequest({
      type: "m.login.password",
      identifier,
      password: person.password,
    });
    return SdkDevice.#start(server, person, session);
  }

  static async #start(
    server: TestServer,
    person: Person,
    session: { user_id: string; access_token?: string; device_id?: string },
  ): Promise<SdkDevice> {
    const answers: Answer[] = [];
    const client = createClient({
      baseUrl: server.url,
      userId: session.user_id,
      deviceId: session.device_id ?? "",
      accessToken: session.access_token ?? "",
      store: new MemoryStore(),
      logger: silent,
      timelineSupport: true,
      fetchFn: recordingFetch(answers),
      cryptoCallbacks: recovery(person),
    });
    const device = new SdkDevice(client, person, answers);
    await client.initRustCrypto({ useIndexedDB: false });
    await client.startClient({ threadSupport: true });
    await until(patienceMs, `${device.name} to sync`, () => client.getSyncState() === SyncState.Syncing);
    return device;
  }

  get userId(): string {
    return this.client.getSafeUserId();
  }

  get deviceId(): string {
    return this.client.getDeviceId() ?? "";
  }

  /** For messages of failures. */
  get name(): string {
    return `${this.person.localpart}'s ${this.deviceId}`;
  }

  get crypto(): CryptoApi {
    const crypto = this.client.getCrypto();
    if (!crypto) throw new Error(`${this.name} does not encrypt`);
    return crypto;
  }

  stop(): void {
    this.client.stopClient();
  }

  /** Goes on when this device syncs again after the server was away. */
  async reconnected(): Promise<void> {
    await until(patienceMs, `${this.name} to sync again`, () => {
      // What clients call when the network is back: the SDK would wait for some seconds otherwise.
      this.client.retryImmediately();
      return this.client.getSyncState() === SyncState.Syncing;
    });
  }

  /** Where this device gets a file of the content repository. */
  mediaUrl(uri: string, thumbnail?: { width: number; height: number; method: string }): string {
    const { width, height, method } = thumbnail ?? {};
    const url = this.client.mxcUrlToHttp(uri, width, height, method, false, true, true);
    if (url === null) throw new Error(`${uri} is no mxc URI`);
    return url;
  }

  /** Downloads a file of the content repository, as a client shows it. */
  async download(
    uri: string,
    thumbnail?: { width: number; height: number; method: string },
  ): Promise<Response> {
    const headers = { Authorization: `Bearer ${this.client.getAccessToken()}` };
    const response = await fetch(this.mediaUrl(uri, thumbnail), { headers });
    if (!response.ok) throw new Error(`${uri}: ${response.status} ${await response.text()}`);
    return response;
  }

  /** A room, once this device knows it. */
  seesRoom(roomId: string): Promise<Room> {
    return until(patienceMs, `${this.name} to see ${roomId}`, () => this.client.getRoom(roomId));
  }

  /** An event of a room, once this device has it and could decrypt it. */
  async sees(roomId: string, eventId: string): Promise<MatrixEvent> {
    const room = await this.seesRoom(roomId);
    return until(patienceMs, `${this.name} to see ${eventId}`, () => {
      const event = room.findEventById(eventId);
      const isReadable = event && !event.isBeingDecrypted() && !event.isDecryptionFailure();
      return isReadable && event.getType() !== "m.room.encrypted" ? event : undefined;
    });
  }
}

/** What the person types when a device asks for the recovery key. */
function recovery(person: Person): NonNullable<ICreateClientOpts["cryptoCallbacks"]> {
  return {
    getSecretStorageKey({ keys }) {
      const [keyId] = Object.keys(keys);
      const { recoveryKey } = person;
      return Promise.resolve(keyId === undefined || !recoveryKey ? null : [keyId, recoveryKey]);
    },
  };
}

function recordingFetch(answers: Answer[]): typeof fetch {
  return async (resource, init) => {
    const response = await fetch(resource, init);
    const { pathname } = new URL(resource instanceof Request ? resource.url : resource);
    const request = `${init?.method ?? "GET"} ${pathname}`;
    answers.push({ request, status: response.status, errcode: await errcodeOf(response) });
    return response;
  };
}

async function errcodeOf(response: Response): Promise<string | undefined> {
  if (response.ok || !response.headers.get("Content-Type")?.startsWith("application/json")) return undefined;
  const { errcode } = (await response.clone().json()) as { errcode?: string };
  return errcode;
}
