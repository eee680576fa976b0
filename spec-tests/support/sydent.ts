import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { testCertificate } from "../../src/outbound/testing/certificate.ts";
import { endWithTest } from "./child-process.ts";
import { freePort } from "./free-port.ts";
import type { MailServer } from "./mail-server.ts";
import { until } from "./within.ts";

const startTimeoutMs = 60_000;
const template = `Date: %(date)s
From: %(from)s
To: %(to)s
Message-ID: %(messageid)s
Subject: From Sydent

`;

/** The Python that has the package matrix-sydent, if `SYDENT_PYTHON` names one. */
export const sydentPython = process.env["SYDENT_PYTHON"];

/** Sydent, the identity server of the Matrix project, as a process, behind a proxy that speaks HTTPS. */
export class Sydent implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #database: string;
  /** Its name, as clients call it. */
  readonly host: string;
  readonly certificateFile: string;
  /** Where it can be reached without the proxy. */
  readonly url: string;

  private constructor(
    stack: AsyncDisposableStack,
    database: string,
    names: { readonly host: string; readonly certificateFile: string; readonly url: string },
  ) {
    this.#stack = stack;
    this.#database = database;
    this.host = names.host;
    this.certificateFile = names.certificateFile;
    this.url = names.url;
  }

  /**
   * @param python that has it installed
   * @param peersCertFile of the homeservers whose users it is for, where it is to talk with them
   */
  static async start(python: string, mails: MailServer, peersCertFile?: string): Promise<Sydent> {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "hearth-sydent-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const [port, proxyPort, replicationPort] = [await freePort(), await freePort(), await freePort()];
    const host = `127.0.0.1:${proxyPort}`;
    const database = join(folder, "sydent.db");
    await writeFile(join(folder, "verification.eml"), `${template}token=%(token)s\n`);
    await writeFile(
      join(folder, "invite.eml"),
      `${template}%(sender)s invites to %(room_name)s: %(token)s\n`,
    );
    await writeFile(
      join(folder, "sydent.conf"),
      configuration(folder, { host, port, replicationPort, mails }),
    );
    const { key, cert } = testCertificate("127.0.0.1");
    const certificateFile = join(folder, "identity.pem");
    await writeFile(certificateFile, cert);
    const trustedFile = join(folder, "trusted.pem");
    const trusted = [mails.certificateFile, ...(peersCertFile ? [peersCertFile] : [])];
    const certificates = await Promise.all(trusted.map((file) => readFile(file, "utf8")));
    await writeFile(trustedFile, certificates.join("\n"));
    const child = spawn(python, ["-m", "sydent.sydent"], {
      cwd: folder,
      env: { SYDENT_CONF: join(folder, "sydent.conf"), SSL_CERT_FILE: trustedFile, PATH: "" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const complaints: string[] = [];
    child.stderr.on("data", (chunk: Buffer) => complaints.push(chunk.toString()));
    endWithTest(child);
    stack.defer(async () => {
      const ended = once(child, "close");
      child.kill("SIGKILL");
      await ended;
    });
    const proxy = createServer({ key, cert }, (incoming, outgoing) => {
      const { method, url, headers } = incoming;
      const forwarded = httpRequest({ host: "127.0.0.1", port, method, path: url, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      forwarded.on("error", () => outgoing.writeHead(502).end());
      incoming.pipe(forwarded);
    });
    proxy.listen(proxyPort, "127.0.0.1");
    await once(proxy, "listening");
    stack.defer(async () => {
      proxy.close();
      proxy.closeAllConnections();
      await once(proxy, "close");
    });
    const isUp = async () => {
      if (child.exitCode !== null) throw new Error(`Sydent has ended: ${complaints.join("")}`);
      return fetch(`http://127.0.0.1:${port}/_matrix/identity/v2`).then(
        ({ ok }) => ok,
        () => false,
      );
    };
    await until(startTimeoutMs, "Sydent to answer", isUp);
    return new Sydent(stack.move(), database, { host, certificateFile, url: `http://127.0.0.1:${port}` });
  }

  /** `identity_servers` in the configuration of a server that knows it. */
  get settings(): object {
    return {
      allowed: [this.host],
      allowed_private_ranges: ["127.0.0.0/8"],
      extra_ca_file: this.certificateFile,
    };
  }

  /**
   * Asks it something as a client (identity service API).
   * @param token of whoever asks
   */
  async ask(path: string, token: string | undefined, body: object): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.url}/_matrix/identity/v2${path}`, {
      method: "POST",
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        "Content-Type": "application/json",
      },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Signs a user in: their homeserver would have to vouch for them otherwise, by federation. */
  tokenFor(userId: string): string {
    const token = `token-${userId.replaceAll(/\W/g, "")}`;
    const db = new BetterSqlite3(this.#database);
    try {
      db.prepare("INSERT INTO accounts (user_id, created_ts) VALUES (?, 0)").run(userId);
      db.prepare("INSERT INTO tokens (token, user_id) VALUES (?, ?)").run(token, userId);
    } finally {
      db.close();
    }
    return token;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

interface Ports {
  readonly host: string;
  readonly port: number;
  readonly replicationPort: number;
  readonly mails: MailServer;
}

function configuration(folder: string, { host, port, replicationPort, mails }: Ports): string {
  return `[general]
server.name = ${host}
# 127.0.0.0/8 is forbidden unless the list is another one.
ip.blacklist = 10.255.255.0/24
[db]
db.file = ${join(folder, "sydent.db")}
[http]
clientapi.http.bind_address = 127.0.0.1
clientapi.http.port = ${port}
replication.https.bind_address = 127.0.0.1
replication.https.port = ${replicationPort}
client_http_base = https://${host}
[email]
email.template = ${join(folder, "verification.eml")}
email.invite_template = ${join(folder, "invite.eml")}
email.from = Sydent <sydent@hearth.test>
email.smtphost = 127.0.0.1
email.smtpport = ${mails.port}
email.smtpusername = hearth
email.smtppassword = mail secret
email.tlsmode = STARTTLS
email.hostname = localhost
`;
}
