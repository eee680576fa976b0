import type { Static } from "typebox";
import { Type } from "../schema/type.ts";
import { auditKeys } from "./audit-schema.ts";
import { consoleKeys } from "./console-schema.ts";
import { discoveryKeys } from "./discovery-schema.ts";
import { federationKeys } from "./federation-schema.ts";
import type { ServerName } from "../protocol/identifiers.ts";
import { addressAtRegistration, contactKeys, passwordKeys, registrationTerms } from "./contact-schema.ts";
import { serverNoticeKeys } from "./server-notices-schema.ts";
import { supportedRoomVersions } from "../protocol/room-versions.ts";
import { mediaKeys } from "./media-schema.ts";
import { addressRange, nullable, outboundKeys } from "./schema-parts.ts";
import { signInKeys } from "./sign-in-schema.ts";

/**
 * The configuration: one typebox schema gives validation, defaults, the `Config` type, environment variables and
 * config.example.yaml. To add a key, add it here with a description and a default, then run `npm run config:example`.
 *
 * Keywords of our own beside JSON Schema's: `path` (a relative path is resolved against the configuration file's folder;
 * a `file` has to exist), `secret` (its value is never shown), `rule` (a named check of rules.ts), `example` (the value
 * in config.example.yaml of a key that everybody sets).
 */
export interface ConfigSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, ConfigSchema>>;
  readonly required?: readonly string[];
  readonly items?: ConfigSchema;
  readonly anyOf?: readonly ConfigSchema[];
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly path?: "file" | "folder";
  readonly secret?: true;
  readonly rule?:
    | "turn-uri"
    | "user-id"
    | "ed25519-key"
    | "server-name"
    | "base-url"
    | "address-range"
    | "bind-address"
    | "mailbox"
    | "opaque-id"
    | "language"
    | "web-address"
    | "all-none-or-time"
    | "url-pattern"
    | "provider-id"
    | "colour"
    | "claim-template";
  readonly example?: string;
}

const file = (description: string) => Type.String({ description, minLength: 1, path: "file" });
const listener = Type.Object({
  bind: Type.String({
    description:
      "The IP address to listen on: 127.0.0.1 for this machine only, 0.0.0.0 for all of IPv4, :: for all.",
    default: "127.0.0.1",
    rule: "bind-address",
  }),
  port: Type.Integer({
    description: "The TCP port; 0 takes any free one.",
    minimum: 0,
    maximum: 65_535,
  }),
  tls: Type.Optional(
    Type.Object(
      {
        cert: file("The certificate with its chain, in PEM."),
        key: file("The certificate's private key, in PEM."),
      },
      { description: "Serves HTTPS with these files. Leave it out behind a reverse proxy that does TLS." },
    ),
  ),
  apis: Type.Array(Type.Enum(["client", "federation", "admin", "metrics"]), {
    description:
      "What is served here. metrics is for Prometheus, under /metrics and without a password: give it a listener of its " +
      "own that only your monitoring reaches.",
    minItems: 1,
    uniqueItems: true,
  }),
});

export const configSchema = Type.Object({
  server_name: Type.String({
    description:
      "The name of this server, the part after the colon in @alice:example.org. It can never be changed once there " +
      "are users or rooms. It need not be the host that Hearth runs on: see public_base_url.",
    default: "localhost",
    example: "example.org",
    rule: "server-name",
  }),
  public_base_url: Type.Optional(
    Type.String({
      description:
        "Where clients reach this server, as they see it through a reverse proxy. Told to clients in " +
        "/.well-known/matrix/client. When unset: https:// and the host of server_name, or, where that is localhost or " +
        "an IP address, the first listener that serves clients.",
      rule: "base-url",
      example: "https://matrix.example.org",
    }),
  ),
  data_dir: Type.String({
    description:
      "The folder of the database, the signing key and the media. It is made when it does not exist.",
    default: "./data",
    minLength: 1,
    path: "folder",
  }),
  listeners: Type.Array(listener, {
    description: "The addresses and ports that Hearth serves.",
    default: [{ bind: "127.0.0.1", port: 8008, apis: ["client", "federation", "admin"] }],
    minItems: 1,
    maxItems: 64,
  }),
  trusted_proxies: Type.Array(addressRange, {
    description:
      "Addresses or ranges (such as 10.0.0.0/8) of reverse proxies whose X-Forwarded-For header is believed. Without " +
      "it, rate limits would count everyone behind a proxy as one client; believing everyone would let anyone pass " +
      "for somebody else.",
    default: ["127.0.0.1", "::1"],
    maxItems: 1000,
  }),
  registration: Type.Object({
    mode: Type.Enum(["closed", "token", "open"], {
      description:
        "Who may make an account: nobody (closed; an administrator makes accounts), holders of a registration token " +
        "(token), or everyone who reaches the server (open).",
      default: "closed",
    }),
    shared_secret: nullable(
      Type.String({ minLength: 1, secret: true }),
      "Whoever knows this secret can make accounts, administrators too, through /_synapse/admin/v1/register, " +
        "whatever the mode. null switches that off.",
    ),
    guests: Type.Boolean({
      description: "Whether people without an account may look into rooms that allow guests.",
      default: false,
    }),
    email: addressAtRegistration("an e-mail address", "email.from"),
    phone: addressAtRegistration("a telephone number", "sms.gateway_url"),
    terms: registrationTerms,
  }),
  access_tokens: Type.Object({
    in_query: Type.Boolean({
      description:
        "Whether clients may send their access token as ?access_token= in the address, as the specification allowed " +
        "until v1.20. Some old bots and bridges can do nothing else. Beware: addresses end up in the logs of proxies.",
      default: false,
    }),
  }),
  passwords: Type.Object(passwordKeys),
  password_hashing: Type.Object({
    memory_kib: Type.Integer({
      description: "Memory that hashing one password takes with argon2id, in KiB. Lower it in tests only.",
      default: 19_456,
      minimum: 8,
      maximum: 4_194_304,
    }),
    passes: Type.Integer({
      description: "How often argon2id goes over that memory. Lower it in tests only.",
      default: 2,
      minimum: 1,
      maximum: 100,
    }),
  }),
  ...signInKeys,
  ...contactKeys,
  ...serverNoticeKeys,
  ...auditKeys,
  ...consoleKeys,
  rate_limits: Type.Object({
    enabled: Type.Boolean({
      description:
        "Whether clients that send too much are slowed down. Switch it off for benchmarks and tests only.",
      default: true,
    }),
  }),
  default_room_version: Type.Enum([...supportedRoomVersions], {
    description: "The version of rooms that users create without asking for one.",
    default: "12",
  }),
  delayed_events: Type.Object({
    max_delay_ms: Type.Integer({
      description: "How far ahead users may schedule events, such as messages and the end of a call.",
      default: 30 * 24 * 60 * 60 * 1000,
      minimum: 1,
      maximum: 2 ** 40,
    }),
    max_per_user: Type.Integer({
      description: "How many events a user may have scheduled at once. 0 allows nobody to schedule any.",
      default: 100,
      minimum: 0,
      maximum: 1_000,
    }),
  }),
  presence: Type.Object({
    enabled: Type.Boolean({
      description:
        "Whether users see who of those that they share a room with is online, idle or away. It takes little: changes " +
        "are told in rounds, further apart the more users are online. Switch it off where nobody shall be watched.",
      default: true,
    }),
  }),
  user_directory: Type.Object({
    search_all_users: Type.Boolean({
      description:
        "Whether people find everybody who has an account here when they search for users. Otherwise they find those " +
        "who share a room with them and those who are in public rooms, so that nobody can list all accounts: switch " +
        "it on where all users are colleagues who may know of each other.",
      default: false,
    }),
  }),
  search: Type.Object({
    enabled: Type.Boolean({
      description:
        "Whether people can search for messages on this server. Messages of rooms that are not encrypted are indexed for " +
        "it, in search.db in data_dir: that file need not be backed up, and may be deleted while the server is down.",
      default: true,
    }),
  }),
  ...federationKeys,
  push: Type.Object({
    mentions_in_text: Type.Boolean({
      description:
        "Whether a message whose text has a user's name, or @room, counts as a mention when the sender's client does " +
        "not say who is mentioned. For organisations with old clients or bridges, which cannot say it.",
      default: false,
    }),
    ...outboundKeys("push gateways"),
  }),
  ...mediaKeys,
  ...discoveryKeys,
  application_services: Type.Array(
    file("A registration file of an application service, or a folder of them."),
    {
      description:
        "Registration files (YAML) of bridges and other application services, or folders in which every .yaml and .yml " +
        "file is one. They are read at the start only.",
      default: [],
      maxItems: 1000,
    },
  ),
  log: Type.Object({
    level: Type.Enum(["fatal", "error", "warn", "info", "debug", "trace"], {
      description: "The least important kind of message that is logged.",
      default: "info",
    }),
    format: Type.Enum(["auto", "pretty", "json"], {
      description:
        "pretty is for people, json (one object a line) for log collectors; auto is pretty on a terminal.",
      default: "auto",
    }),
    slow_request_ms: Type.Integer({
      description:
        "A request that takes at least so long is logged as a warning; time in which its client wanted to wait for news " +
        "does not count. 0 logs none.",
      default: 5_000,
      minimum: 0,
      maximum: 3_600_000,
    }),
  }),
});

type DeepReadonly<T> = T extends string
  ? T
  : T extends readonly (infer Item)[]
    ? readonly DeepReadonly<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
      : T;

/** What the configuration file and the environment say, before the keys that depend on others are worked out. */
export type ConfigValues = Static<typeof configSchema>;

/** The complete configuration: every key has its value, every path is absolute. */
export type Config = DeepReadonly<
  Omit<ConfigValues, "server_name" | "public_base_url"> & {
    server_name: ServerName;
    /** Without a slash at its end. */
    public_base_url: string;
  }
>;
export type ListenerConfig = Config["listeners"][number];
