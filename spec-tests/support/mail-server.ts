import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import PostalMime, { type Email } from "postal-mime";
import { testCertificate } from "../../src/outbound/testing/certificate.ts";
import { endWithTest } from "./child-process.ts";
import { freePort } from "./free-port.ts";
import { until, within } from "./within.ts";

const processFile = join(import.meta.dirname, "mail-server-process.ts");
const startTimeoutMs = 60_000;
const mailTimeoutMs = 30_000;

export interface ReceivedMail {
  readonly to: string;
  readonly isEncrypted: boolean;
  readonly email: Email;
}

interface Line {
  readonly isReady?: boolean;
  readonly recipient?: string;
  readonly to?: readonly string[];
  readonly secure?: boolean;
  readonly message?: string;
}

/** A real mail server, a process of its own, which keeps what it is sent. */
export class MailServer implements AsyncDisposable {
  readonly #folder: string;
  readonly port: number;
  #process: ChildProcess | undefined;
  readonly received: ReceivedMail[] = [];
  /** Every recipient that was named to it, also those that it did not take. */
  readonly recipients: string[] = [];

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.port = port;
  }

  static async start(): Promise<MailServer> {
    const folder = await mkdtemp(join(tmpdir(), "hearth-mail-"));
    const { key, cert } = testCertificate("127.0.0.1");
    await writeFile(join(folder, "key.pem"), key);
    await writeFile(join(folder, "cert.pem"), cert);
    const server = new MailServer(folder, await freePort());
    await server.open();
    return server;
  }

  get certificateFile(): string {
    return join(this.#folder, "cert.pem");
  }

  /** The server's configuration that has it send e-mails here. */
  get config(): { email: Record<string, unknown> } {
    const smtp = {
      host: "127.0.0.1",
      port: this.port,
      user: "hearth",
      password: "mail secret",
      extra_ca_file: this.certificateFile,
    };
    return { email: { from: "Example Chat <chat@hearth.test>", smtp } };
  }

  /** Is reachable, after having been closed. */
  async open(): Promise<void> {
    const child = spawn(process.execPath, [processFile, String(this.port), this.#folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#process = child;
    endWithTest(child);
    const ready = Promise.withResolvers<void>();
    createInterface({ input: child.stdout }).on("line", (line) => {
      const heard = JSON.parse(line) as Line;
      if (heard.isReady) ready.resolve();
      if (heard.recipient !== undefined) this.recipients.push(heard.recipient);
      void this.#take(heard);
    });
    await within(startTimeoutMs, "the mail server to be ready", ready.promise);
  }

  /** Refuses connections. */
  async close(): Promise<void> {
    const child = this.#process;
    if (!child) return;
    this.#process = undefined;
    const ended = once(child, "close");
    child.kill("SIGTERM");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  to(address: string): ReceivedMail[] {
    return this.received.filter(({ to }) => to === address);
  }

  /** Waits for the so-manieth e-mail to an address. */
  async mail(address: string, count = 1): Promise<ReceivedMail> {
    await until(mailTimeoutMs, `e-mail ${count} to ${address}`, () => this.to(address).length >= count);
    const mail = this.to(address)[count - 1];
    if (!mail) throw new Error("what was there is gone");
    return mail;
  }

  async #take({ to = [], secure = false, message }: Line): Promise<void> {
    if (message === undefined) return;
    const email = await PostalMime.parse(message);
    for (const recipient of to) this.received.push({ to: recipient, isEncrypted: secure, email });
  }
}

/** The link in an e-mail with which its address is proved. */
export function linkIn({ email }: ReceivedMail): URL {
  const link = /^https?:\S+$/m.exec(email.text ?? "")?.[0];
  if (link === undefined) throw new Error(`no link in ${email.text}`);
  return new URL(link);
}
