import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { stringify } from "yaml";
import { endWithTest } from "../support/child-process.ts";
import { freePort } from "../support/free-port.ts";
import { within } from "../support/within.ts";
import type { TlsFiles } from "./hearth.ts";
import type { Peer } from "./peer.ts";

/** The version that is compared with. */
export const synapsePackage = {
  requirement: "matrix-synapse==1.163.2",
  module: "synapse.app.homeserver",
};

export interface SynapseOptions {
  /** Certificates that it trusts besides, as those of identity servers. */
  readonly trustedFile?: string | undefined;
  /** What its configuration has besides, or differently. */
  readonly settings?: object;
}

const startTimeoutMs = 120_000;
const endTimeoutMs = 60_000;
const pollMs = 100;
const outputTailLines = 60;

/** A real Synapse, with SQLite, that nobody has to wait for. */
export class Synapse implements Peer {
  readonly make = "Synapse";
  readonly name: string;
  readonly url: string;
  readonly folder: string;
  readonly #python: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #tail: string[] = [];
  #child: ChildProcess | undefined;

  private constructor(
    python: string,
    folder: string,
    names: { readonly name: string; readonly url: string },
    trustedFile: string | undefined,
  ) {
    this.#python = python;
    this.folder = folder;
    this.name = names.name;
    this.url = names.url;
    this.#env = { ...process.env, ...(trustedFile && { SSL_CERT_FILE: trustedFile }) };
  }

  /** @param python that has it installed */
  static async start(
    python: string,
    tls: TlsFiles,
    { trustedFile, settings }: SynapseOptions = {},
  ): Promise<Synapse> {
    const folder = await mkdtemp(join(tmpdir(), "hearth-synapse-"));
    const [port, clientPort] = [await freePort(), await freePort()];
    const names = { name: `localhost:${port}`, url: `http://127.0.0.1:${clientPort}` };
    const synapse = new Synapse(python, folder, names, trustedFile);
    const config = { ...configuration(folder, port, clientPort, tls), ...settings };
    await writeFile(join(folder, "homeserver.yaml"), stringify(config));
    await writeFile(join(folder, "log.yaml"), stringify(logging));
    await synapse.start();
    return synapse;
  }

  /** Of its process. @throws Error when it does not run */
  get pid(): number {
    const { pid } = this.#child ?? {};
    if (pid === undefined) throw new Error("Synapse does not run");
    return pid;
  }

  get outputTail(): string {
    return this.#tail.join("\n");
  }

  /** Everything that it has said. */
  get logFile(): string {
    return join(this.folder, "homeserver.log");
  }

  async start(): Promise<void> {
    const config = join(this.folder, "homeserver.yaml");
    const words = ["-m", "synapse.app.homeserver", "--config-path", config, "--generate-keys"];
    // It makes its signing key, and ends, where there is none.
    await this.#run(words);
    const child = this.#spawn(words.slice(0, -1));
    this.#child = child;
    await within(startTimeoutMs, () => `Synapse to be ready\n${this.outputTail}`, this.#isReady(child));
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = undefined;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await within(endTimeoutMs, () => `Synapse to end\n${this.outputTail}`, ended);
  }

  async restart(meanwhile?: () => Promise<void>): Promise<void> {
    await this.stop();
    await meanwhile?.();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #run(words: readonly string[]): Promise<void> {
    const [code] = (await once(this.#spawn(words), "exit")) as [number | null];
    if (code !== 0) throw new Error(`Synapse ended with ${code}\n${this.outputTail}`);
  }

  #spawn(words: readonly string[]): ChildProcess {
    const child = spawn(this.#python, words, {
      cwd: this.folder,
      env: this.#env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    endWithTest(child);
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on("line", (line) => {
        this.#tail.push(line);
        if (this.#tail.length > outputTailLines) this.#tail.shift();
      });
    }
    return child;
  }

  async #isReady(child: ChildProcess): Promise<void> {
    while (child.exitCode === null) {
      const isThere = await fetch(`${this.url}/_matrix/client/versions`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isThere) return;
      await delay(pollMs);
    }
    throw new Error(`Synapse ended with ${child.exitCode}\n${this.outputTail}`);
  }
}

const unlimited = { per_second: 10_000, burst_count: 10_000 };

function configuration(folder: string, port: number, clientPort: number, tls: TlsFiles): object {
  const listener = { type: "http", bind_addresses: ["127.0.0.1"] };
  return {
    server_name: `localhost:${port}`,
    public_baseurl: `http://127.0.0.1:${clientPort}`,
    listeners: [
      { ...listener, port: clientPort, resources: [{ names: ["client"] }] },
      { ...listener, port, tls: true, resources: [{ names: ["federation", "media", "keys"] }] },
    ],
    tls_certificate_path: tls.certFile,
    tls_private_key_path: tls.keyFile,
    federation_custom_ca_list: [tls.certFile],
    // 127.0.0.0/8 is forbidden unless the list is another one.
    ip_range_blacklist: ["10.255.255.0/24"],
    federation_ip_range_blacklist: ["10.255.255.0/24"],
    federation: {
      client_timeout: "20s",
      max_short_retries: 1,
      max_long_retries: 1,
      max_long_retry_delay: "1s",
      destination_min_retry_interval: "1s",
      destination_max_retry_interval: "2s",
    },
    trusted_key_servers: [],
    signing_key_path: join(folder, "signing.key"),
    database: { name: "sqlite3", args: { database: join(folder, "homeserver.db") } },
    media_store_path: join(folder, "media"),
    log_config: join(folder, "log.yaml"),
    report_stats: false,
    enable_registration: true,
    enable_registration_without_verification: true,
    registration_shared_secret: "test secret",
    macaroon_secret_key: "macaroons",
    form_secret: "forms",
    bcrypt_rounds: 4,
    presence: { enabled: true },
    allow_public_rooms_over_federation: true,
    allow_public_rooms_without_auth: true,
    room_list_publication_rules: [{ action: "allow" }],
    enable_authenticated_media: true,
    ...limits,
  };
}

const limits = {
  rc_message: unlimited,
  rc_registration: unlimited,
  rc_login: { address: unlimited, account: unlimited, failed_attempts: unlimited },
  rc_joins: { local: unlimited, remote: unlimited },
  rc_joins_per_room: unlimited,
  rc_invites: { per_room: unlimited, per_user: unlimited, per_issuer: unlimited },
  rc_room_creation: unlimited,
  rc_presence: { per_user: unlimited },
  rc_federation: {
    window_size: 1_000,
    sleep_limit: 10_000,
    sleep_delay: 0,
    reject_limit: 20_000,
    concurrent: 100,
  },
};

const logging = {
  version: 1,
  formatters: { line: { format: "%(asctime)s %(name)s %(levelname)s %(request)s %(message)s" } },
  filters: { context: { "()": "synapse.logging.context.LoggingContextFilter", request: "" } },
  handlers: {
    console: { class: "logging.StreamHandler", formatter: "line", filters: ["context"] },
    file: {
      class: "logging.FileHandler",
      filename: "homeserver.log",
      formatter: "line",
      filters: ["context"],
    },
  },
  loggers: { "synapse.storage.SQL": { level: "WARNING" }, twisted: { level: "WARNING" } },
  root: { level: "INFO", handlers: ["file", "console"] },
  disable_existing_loggers: false,
};
