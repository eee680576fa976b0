import { OutboundError } from "../outbound/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../protocol/json.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { instanceIdOf } from "./network-instances.ts";
import { type AppserviceClient, isSuccess, jsonOf } from "./appservice-client.ts";

/** What is looked for: people of third-party networks, or places there. */
export type ThirdPartyKind = "user" | "location";

const timeoutMs = 5_000;
/** Protocols hardly ever change, and clients ask for them whenever they show a directory. */
const keepProtocolMs = 10 * 60 * 1000;
const keepFaultMs = 30_000;
const maxResults = 1_000;
const maxSearchBytes = 8 * 1024;
const nameKeys = { user: "userid", location: "alias" } as const;

interface KnownProtocol {
  /** `undefined` when the application service does not tell. */
  readonly reading: Promise<JsonObject | undefined>;
  untilMs: number;
}

/** Third-party networks, as application services tell of them (client-server API, "Third-party Lookups"). */
export class ThirdPartyNetworks {
  readonly #clients: readonly AppserviceClient[];
  readonly #clock: Clock;
  readonly #log: Logger;
  /** One for each protocol of each registration. */
  readonly #protocols = new Map<string, KnownProtocol>();

  constructor(clients: readonly AppserviceClient[], clock: Clock, log: Logger) {
    this.#clients = clients;
    this.#clock = clock;
    this.#log = log;
  }

  /** All protocols by name; those that no application service tells of now are left out. */
  async protocols(): Promise<JsonObject> {
    const names = new Set(this.#clients.flatMap(({ appservice }) => appservice.registration.protocols));
    const all = await Promise.all(
      [...names].map(async (name) => [name, await this.#protocol(name)] as const),
    );
    return Object.fromEntries(all.filter((entry): entry is [string, JsonObject] => entry[1] !== undefined));
  }

  /** @throws MatrixError M_NOT_FOUND */
  async protocol(name: string): Promise<JsonObject> {
    const protocol = await this.#protocol(name);
    if (protocol) return protocol;
    throw new MatrixError("M_NOT_FOUND", `No application service tells of a protocol ${name.slice(0, 255)}`);
  }

  /**
   * People or places of a protocol.
   * @param fields by which they are searched for, as the protocol has them
   * @throws MatrixError M_NOT_FOUND, M_TOO_LARGE
   */
  byProtocol(
    kind: ThirdPartyKind,
    protocol: string,
    fields: URLSearchParams,
  ): Promise<readonly JsonObject[]> {
    const clients = this.#ofProtocol(protocol);
    return this.#lookUp(clients, kind, `/${kind}/${encodeURIComponent(protocol)}`, fields);
  }

  /**
   * What a user ID or a room alias stands for in third-party networks.
   * @throws MatrixError M_NOT_FOUND, M_TOO_LARGE
   */
  byName(kind: ThirdPartyKind, name: string): Promise<readonly JsonObject[]> {
    return this.#lookUp(this.#clients, kind, `/${kind}`, new URLSearchParams({ [nameKeys[kind]]: name }));
  }

  #ofProtocol(protocol: string): readonly AppserviceClient[] {
    return this.#clients.filter(({ appservice }) => appservice.registration.protocols.includes(protocol));
  }

  async #lookUp(
    clients: readonly AppserviceClient[],
    kind: ThirdPartyKind,
    path: string,
    query: URLSearchParams,
  ): Promise<readonly JsonObject[]> {
    if (query.size > 100 || Buffer.byteLength(query.toString()) > maxSearchBytes) {
      throw new MatrixError("M_TOO_LARGE", `A search may have at most ${maxSearchBytes} bytes`);
    }
    const answers = await Promise.all(clients.map((client) => this.#ask(client, path, query)));
    const found = answers
      .flatMap((answer) => (Array.isArray(answer) ? answer : []))
      .filter((result): result is JsonObject => isResult(kind, result));
    if (found.length > 0) return found.slice(0, maxResults);
    throw new MatrixError("M_NOT_FOUND", "No application service knows of one");
  }

  /** The protocol as all its application services together tell of it. */
  async #protocol(name: string): Promise<JsonObject | undefined> {
    const parts = await Promise.all(this.#ofProtocol(name).map((client) => this.#protocolOf(client, name)));
    const told = parts.filter((part) => part !== undefined);
    const [first] = told;
    return first && { ...first, instances: told.flatMap((part) => instancesOf(part)) };
  }

  #protocolOf(client: AppserviceClient, name: string): Promise<JsonObject | undefined> {
    const key = JSON.stringify([client.appservice.id, name]);
    const nowMs = this.#clock.monotonicMs();
    const known = this.#protocols.get(key);
    if (known && known.untilMs > nowMs) return known.reading;
    const entry: KnownProtocol = {
      reading: this.#readProtocol(client, name).then((protocol) => {
        if (!protocol) entry.untilMs = this.#clock.monotonicMs() + keepFaultMs;
        return protocol;
      }),
      untilMs: nowMs + keepProtocolMs,
    };
    this.#protocols.set(key, entry);
    return entry.reading;
  }

  async #readProtocol(client: AppserviceClient, name: string): Promise<JsonObject | undefined> {
    const protocol = await this.#ask(client, `/protocol/${encodeURIComponent(name)}`);
    if (!isJsonObject(protocol)) return undefined;
    const { id } = client.appservice;
    const instances = instancesOf(protocol).map((instance) => ({
      ...instance,
      instance_id: instanceIdOf({ appserviceId: id, networkId: instance.network_id }),
    }));
    return { user_fields: [], location_fields: [], icon: "", field_types: {}, ...protocol, instances };
  }

  /** `undefined` when the application service has no answer: others may have one. */
  async #ask(
    client: AppserviceClient,
    path: string,
    query?: URLSearchParams,
  ): Promise<JsonValue | undefined> {
    const appservice = client.appservice.id;
    try {
      const answer = await client.request({
        method: "GET",
        path: `/_matrix/app/v1/thirdparty${path}`,
        legacyPath: `/_matrix/app/unstable/thirdparty${path}`,
        ...(query && { query }),
        timeoutMs,
      });
      if (isSuccess(answer)) return jsonOf(answer);
      this.#log.debug({ appservice, status: answer.status }, "an application service has no answer");
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      this.#log.info({ appservice, reason: error.message }, "an application service cannot be asked");
    }
    return undefined;
  }
}

type Instance = JsonObject & { readonly network_id: string };

function instancesOf({ instances }: JsonObject): readonly Instance[] {
  return Array.isArray(instances) ? instances.filter(isInstance) : [];
}

function isInstance(value: JsonValue): value is Instance {
  return isJsonObject(value) && typeof value["network_id"] === "string";
}

function isResult(kind: ThirdPartyKind, result: JsonValue): boolean {
  if (!isJsonObject(result)) return false;
  const { protocol, fields } = result;
  return typeof result[nameKeys[kind]] === "string" && typeof protocol === "string" && isJsonObject(fields);
}
