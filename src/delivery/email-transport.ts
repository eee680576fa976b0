import { readFileSync } from "node:fs";
import type { Transporter } from "nodemailer";
import type { Config } from "../config/schema.ts";
import { DeliveryError } from "./errors.ts";
import type { WrittenMessage } from "./message-writer.ts";
import type { MessageTransport } from "./transport.ts";

const connectTimeoutMs = 15_000;
const silenceTimeoutMs = 30_000;
const maxAnswerInError = 200;

const tlsOptions = {
  implicit: { secure: true },
  starttls: { requireTLS: true },
  opportunistic: {},
  none: { ignoreTLS: true },
} as const;

/** E-mail by way of the organisation's mail server (SMTP). Each message has a connection of its own: there are few. */
export class EmailTransport implements MessageTransport {
  readonly #options: ReturnType<typeof smtpOptions>;
  readonly #from: string;
  readonly #serverName: string;
  /** Made with the first message, as is all that is loaded for it. */
  #transport: Transporter | undefined;

  /** @throws Error when the certificates cannot be read */
  constructor(smtp: Config["email"]["smtp"], from: string, serverName: string) {
    this.#options = smtpOptions(smtp);
    this.#from = from;
    this.#serverName = serverName;
  }

  async send(address: string, { subject, text, html }: WrittenMessage, id: string): Promise<void> {
    this.#transport ??= await smtpTransport(this.#options);
    try {
      await this.#transport.sendMail({
        from: this.#from,
        // As an object: nothing in it is taken for a list or a name.
        to: { name: "", address },
        subject,
        text,
        ...(html !== undefined && { html }),
        messageId: `<${id}@${this.#serverName.replaceAll(/[^\w.-]/g, "-")}>`,
        // No out-of-office message is wanted back (RFC 3834).
        headers: { "Auto-Submitted": "auto-generated" },
        disableFileAccess: true,
        disableUrlAccess: true,
      });
    } catch (error) {
      throw deliveryError(error, address);
    }
  }

  [Symbol.dispose](): void {
    this.#transport?.close();
  }
}

async function smtpTransport(options: ReturnType<typeof smtpOptions>): Promise<Transporter> {
  const { createTransport } = await import("nodemailer");
  return createTransport(options);
}

/** TLS is loaded by those only who need it. */
function usualAuthorities(): string[] {
  return process.getBuiltinModule("node:tls").getCACertificates("default");
}

function smtpOptions({ host, port, tls, user, password, extra_ca_file: caFile }: Config["email"]["smtp"]) {
  const ca = caFile === null ? {} : { ca: [...usualAuthorities(), readFileSync(caFile, "utf8")] };
  return {
    host,
    port,
    ...tlsOptions[tls],
    ...(user !== null && { auth: { user, pass: password ?? "" } }),
    tls: ca,
    connectionTimeout: connectTimeoutMs,
    dnsTimeout: connectTimeoutMs,
    greetingTimeout: connectTimeoutMs,
    socketTimeout: silenceTimeoutMs,
  };
}

/** A mail server's 5xx about the recipient is its last word; anything else may be otherwise in an hour. */
function deliveryError(error: unknown, address: string): DeliveryError {
  const {
    code,
    responseCode = 0,
    response = "",
    message = "",
  } = error as {
    readonly code?: string;
    readonly responseCode?: number;
    readonly response?: string;
    readonly message?: string;
  };
  const isPermanent = code === "EENVELOPE" && (responseCode === 0 || responseCode >= 500);
  // Mail servers repeat the address in their answers.
  const reason = (response || message).replaceAll(address, "the address").slice(0, maxAnswerInError);
  return new DeliveryError(
    `the mail server did not take the message: ${code ?? "ERROR"} ${reason}`,
    isPermanent,
  );
}
