import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { ConfigError } from "./config-error.ts";
import { configFrom, loadConfig } from "./load.ts";
import { configSchema } from "./schema.ts";

/** The problems of a configuration, without the folder of the file. */
function problemsOf(load: () => unknown, folder?: string): readonly string[] {
  const shortened = (problem: string) => (folder ? problem.replaceAll(`${folder}/`, "") : problem);
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(shortened);
    throw error;
  }
  return [];
}

t.test("without any configuration, localhost is served on port 8008 from ./data", async (t) => {
  const config = loadConfig({ environment: {} });
  t.match(config, {
    server_name: "localhost",
    public_base_url: "http://localhost:8008",
    data_dir: join(process.cwd(), "data"),
    listeners: [{ bind: "127.0.0.1", port: 8008, apis: ["client", "federation", "admin"] }],
    registration: { mode: "closed", shared_secret: null, guests: false },
    password_hashing: { memory_kib: 19456, passes: 2 },
    rate_limits: { enabled: true },
    default_room_version: "12",
    federation: { enabled: true, extra_ca_file: null, allowed_private_ranges: [] },
    push: { extra_ca_file: null, allowed_private_ranges: [] },
    application_services: [],
    log: { level: "info", format: "auto" },
  });
  t.ok(Object.isFrozen(config.listeners[0]), "no part of the server can change it for another");
});

t.test("a file, with paths relative to its folder", async (t) => {
  const folder = t.testdir({
    "hearth.yaml": [
      "server_name: example.org",
      "data_dir: state",
      "registration:",
      "listeners:",
      "  - { bind: 0.0.0.0, port: 8448, tls: { cert: tls/cert.pem, key: /dev/null }, apis: [federation] }",
      "application_services: [bridge.yaml]",
      "federation: { extra_ca_file: tls/cert.pem }",
    ].join("\n"),
    tls: { "cert.pem": "" },
    "bridge.yaml": "",
  });
  const config = loadConfig({ file: join(folder, "hearth.yaml"), environment: {} });
  t.equal(config.data_dir, join(folder, "state"));
  t.equal(config.public_base_url, "https://example.org");
  t.equal(config.federation.extra_ca_file, join(folder, "tls/cert.pem"));
  t.strictSame(config.application_services, [join(folder, "bridge.yaml")]);
  t.strictSame(config.listeners, [
    {
      bind: "0.0.0.0",
      port: 8448,
      tls: { cert: join(folder, "tls/cert.pem"), key: "/dev/null" },
      apis: ["federation"],
    },
  ]);
  t.equal(config.registration.mode, "closed", "an empty group has its defaults");
});

t.test("every problem is named at once, with its line and what was meant", async (t) => {
  const folder = t.testdir({
    "bad.yaml": [
      "server_nme: x",
      'server_name: "bad name!"',
      "registration:",
      "  mode: opne",
      "  shared_secret: 123456789",
      "guests: true",
      "listeners:",
      "  - port: abc",
      "    apis: [client, clientt]",
      "    tls: { cert: a.pem }",
      "  - 5",
      "  - { port: 1, apis: [client, client] }",
      "trusted_proxies: [10.0.0.0/33]",
      "public_base_url: ftp://example.org",
      "__proto__: { polluted: true }",
    ].join("\n"),
  });
  t.strictSame(
    problemsOf(() => loadConfig({ file: join(folder, "bad.yaml"), environment: {} }), folder),
    [
      "bad.yaml:1: server_nme is not a key of the configuration; did you mean server_name?",
      "bad.yaml:6: guests is not a key of the configuration; did you mean registration.guests?",
      `bad.yaml:15: __proto__ is not a key of the configuration; the keys here are ${Object.keys(configSchema.properties).join(", ")}`,
      "bad.yaml:2: server_name has to be a host name or IP address with an optional port, such as example.org or " +
        'example.org:8448, not "bad name!"',
      "bad.yaml:14: public_base_url has to be an http:// or https:// address without query and fragment, such as " +
        'https://matrix.example.org, not "ftp://example.org"',
      'bad.yaml:8: listeners[0].port has to be a whole number from 0 to 65535, not "abc"',
      "bad.yaml:10: listeners[0].tls.cert names the file a.pem, which does not exist or cannot be read",
      "bad.yaml:10: listeners[0].tls.key is missing",
      'bad.yaml:9: listeners[0].apis[1] has to be one of "client", "federation", "admin", "metrics", not "clientt"',
      "bad.yaml:11: listeners[1] has to be a group of keys (bind, port, tls, apis)",
      "bad.yaml:12: listeners[2].apis names one thing twice",
      "bad.yaml:13: trusted_proxies[0] has to be an IP address or a range of them, such as 192.0.2.1 or 10.0.0.0/8, " +
        'not "10.0.0.0/33"',
      'bad.yaml:4: registration.mode has to be one of "closed", "token", "open", not "opne"',
      "bad.yaml:5: registration.shared_secret has to be a text that is not empty (numbers need quotes)",
    ],
  );
});

t.test("files that are no configuration", async (t) => {
  const folder = t.testdir({
    "broken.yaml": "a: 1\nb: [1\n",
    "list.yaml": "- 1",
    "twice.yaml": "log: {}\nlog: {}\n",
  });
  const problems = (name: string) =>
    problemsOf(() => loadConfig({ file: join(folder, name), environment: {} }), folder);
  t.match(problems("broken.yaml"), [/^broken.yaml:\d: this is not valid YAML: /]);
  t.match(problems("list.yaml"), [/^list.yaml: The configuration has to be a group of keys/]);
  t.match(problems("twice.yaml"), [/^twice.yaml:2: this is not valid YAML: Map keys must be unique/]);
  t.strictSame(problems("none.yaml"), ["The configuration file none.yaml does not exist."]);
  t.strictSame(
    problemsOf(() => loadConfig({ file: folder, environment: {} })),
    [`${folder} is a folder, not a configuration file.`],
  );
});

t.test("environment variables stand over the file", async (t) => {
  const folder = t.testdir({
    "hearth.yaml": "registration: { mode: closed, guests: true }\nlog: { level: warn }\n",
  });
  const config = loadConfig({
    environment: {
      HEARTH_CONFIG: join(folder, "hearth.yaml"),
      HEARTH_SERVER_NAME: "env.example.org",
      HEARTH_REGISTRATION__MODE: "open",
      HEARTH_REGISTRATION__SHARED_SECRET: "null",
      HEARTH_LISTENERS: '[{ "port": 18008, "apis": ["client"] }]',
      HEARTH_PASSWORD_HASHING__PASSES: "3",
      HEARTH_RATE_LIMITS: '{ "enabled": true }',
      HEARTH_RATE_LIMITS__ENABLED: "false",
      HEARTH_DEFAULT_ROOM_VERSION: "11",
      HEARTH_SERVICE_HOST: "10.0.0.1",
      HEARTH_PORT_8008_TCP_ADDR: "10.0.0.1",
      PATH: "/bin",
    },
  });
  t.match(config, {
    server_name: "env.example.org",
    registration: { mode: "open", guests: true, shared_secret: null },
    listeners: [{ bind: "127.0.0.1", port: 18008, apis: ["client"] }],
    password_hashing: { passes: 3 },
    rate_limits: { enabled: false },
    default_room_version: "11",
    log: { level: "warn" },
  });
});

t.test("wrong environment variables are named", async (t) => {
  const environment = {
    HEARTH_REGISTRATION_MODE: "open",
    HEARTH_LISTENERS: "[",
    HEARTH_LOG__LEVEL: "loud",
    HEARTH_PASSWORD_HASHING__PASSES: "many",
    HEARTH_FEDERATION: '{ "enbled": true }',
  };
  t.strictSame(
    problemsOf(() => loadConfig({ environment })),
    [
      "The environment variable HEARTH_REGISTRATION_MODE would set registration_mode, which is not a key of the " +
        "configuration. Did you mean HEARTH_REGISTRATION__MODE?",
      "The environment variable HEARTH_LISTENERS has to hold JSON for listeners.",
      'HEARTH_PASSWORD_HASHING__PASSES: password_hashing.passes has to be a whole number from 1 to 100, not "many"',
      "HEARTH_FEDERATION: federation.enbled is not a key of the configuration; did you mean federation.enabled?",
      'HEARTH_LOG__LEVEL: log.level has to be one of "fatal", "error", "warn", "info", "debug", "trace", not "loud"',
    ],
  );
});

t.test("a file of null bytes or of deep nesting is refused in words", async (t) => {
  const file = join(t.testdir({}), "x.yaml");
  for (const text of ["\0\0\0", "[".repeat(50), "&a [*a, *a]", "? [1]\n: 2\n"]) {
    writeFileSync(file, text);
    t.ok(problemsOf(() => loadConfig({ file, environment: {} })).length > 0, JSON.stringify(text));
  }
});

t.test("the public address follows from the server's name and listeners", async (t) => {
  const baseUrl = (values: object) => configFrom(values, ".").public_base_url;
  t.equal(baseUrl({ public_base_url: "https://matrix.example.org/" }), "https://matrix.example.org");
  t.equal(baseUrl({ server_name: "example.org:8448" }), "https://example.org");
  t.equal(baseUrl({ server_name: "[::1]:8008" }), "http://[::1]:8008");
  const listeners = [
    { port: 8448, apis: ["federation"] },
    { port: 443, apis: ["client"], tls: { cert: "/dev/null", key: "/dev/null" } },
  ];
  t.equal(baseUrl({ listeners }), "https://localhost:443");
});

t.test("server names of the specification's grammar", async (t) => {
  for (const name of [
    "matrix.org",
    "matrix.org:8888",
    "1.2.3.4",
    "1.2.3.4:1234",
    "[1234:5678::abcd]:5678",
    "a-b",
  ]) {
    t.equal(configFrom({ server_name: name }, ".").server_name, name);
  }
  for (const name of [
    "",
    "a b",
    "a_b",
    "a:b",
    "a:99999",
    "[1234]",
    "[::1",
    "https://a",
    "a/b",
    "x".repeat(256),
  ]) {
    t.throws(() => configFrom({ server_name: name }, "."), ConfigError, name);
  }
});

t.test("providers of single sign-on go together with themselves and each other", async (t) => {
  const provider = { id: "corp", name: "Corp", issuer: "https://idp.example.org", client_id: "hearth" };
  const load = (...changes: object[]) =>
    configFrom(
      { sso: { providers: changes.map((change) => ({ ...provider, ...change })) } },
      t.testdir({ secret: "s" }),
    );
  t.match(load({}, { id: "other" }).sso.providers, [
    { id: "corp", subject: "{sub}", scopes: ["openid", "profile", "email"] },
    { id: "other" },
  ]);
  const endpoint = "https://idp.example.org/a";
  t.throws(() => load({}, {}), /sso\.providers\[1\]\.id is another provider's as well/);
  t.throws(() => load({ client_secret: "a", client_secret_file: "secret" }), /leave one of them out/);
  t.throws(() => load({ authorization_endpoint: endpoint }), /set both or none/);
  t.throws(() => load({ id: "a/b" }), /has to be up to 100 letters/);
  t.throws(() => load({ localpart: "{a|shout}" }), /the filters are localpart and lowercase/);
  const off = { oauth: { enabled: false, legacy_password_login: "off" } };
  t.throws(() => configFrom(off, "."), /leaves nobody a way to log in/);
});
