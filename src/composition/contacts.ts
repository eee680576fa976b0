import { deriveSecret } from "../auth/server-secret.ts";
import { StartupError } from "../config/startup-error.ts";
import { readCustomTexts } from "../delivery/custom-texts.ts";
import { DeliveryQueue } from "../delivery/delivery-queue.ts";
import { EmailTransport } from "../delivery/email-transport.ts";
import { MessageWriter } from "../delivery/message-writer.ts";
import { SmsTransport } from "../delivery/sms-transport.ts";
import type { MessageTransport } from "../delivery/transport.ts";
import { getContactConfirmation } from "../api/client/contact-validation.ts";
import { contactValidationHandlers } from "../http/handlers/contact-validation.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { ContactRules } from "../services/contacts/contact-rules.ts";
import { ContactValidations } from "../services/contacts/contact-validations.ts";
import { Contacts } from "../services/contacts/contacts.ts";
import { SendingLimits } from "../services/contacts/sending-limits.ts";
import { IdentityServers } from "../services/contacts/identity-servers.ts";
import { ValidationSecrets } from "../services/contacts/validation-secrets.ts";
import type { ContactMedium } from "../storage/contacts.ts";
import type { Foundation } from "./foundation.ts";
import { composeOutbound } from "./outbound.ts";

export interface ContactParts extends AsyncDisposable {
  readonly contacts: Contacts;
  readonly validations: ContactValidations;
  readonly rules: ContactRules;
  readonly limits: SendingLimits;
  readonly identityServers: IdentityServers;
  /** The language of messages to somebody, by their `Accept-Language`. */
  readonly languageFor: (acceptLanguage: string | undefined) => string;
  /** To be called when a message has been put into the queue. */
  readonly queued: () => void;
  readonly handlers: readonly BoundEndpoint[];
}

/**
 * Addresses of users outside of Matrix, and messages to them.
 * @throws StartupError when certificates or texts cannot be used
 */
export function composeContacts(foundation: Foundation): ContactParts {
  const { config, stores, clock, log, randomBytes, signingKey } = foundation;
  const { email } = config;
  const secrets = new ValidationSecrets(deriveSecret(signingKey, "proving addresses"));
  const writer = composeWriter(foundation, secrets);
  if (!writer.speaks(email.language)) {
    throw new StartupError(
      "bad-text",
      `There are no texts in the language ${email.language} (email.language).`,
    );
  }
  const transports = composeTransports(foundation);
  const queue = new DeliveryQueue({ store: stores.deliveries, transports, writer, clock, log });
  const queued = () => queue.wake();
  const languageFor = (acceptLanguage: string | undefined) => writer.languageFor(acceptLanguage);
  const media = new Set(transports.keys());
  const rules = new ContactRules(media, email.allowed_addresses, email.allowed_next_link_hosts);
  const limits = new SendingLimits(clock, config.rate_limits.enabled);
  const validations = new ContactValidations({
    store: stores.contactValidations,
    contacts: stores.contacts,
    rules,
    limits,
    secrets,
    clock,
    randomBytes,
    queued,
  });
  const http = composeOutbound(config.identity_servers, clock);
  const identityServers = new IdentityServers({
    http,
    allowed: config.identity_servers.allowed.map((host) => host.toLowerCase()),
    serverName: config.server_name,
    signingKey,
  });
  const contacts = new Contacts({
    store: stores.contacts,
    validations,
    identityServers,
    clock,
    log,
    areChangeable: config.contacts.user_changes,
  });
  // Messages from before the last stop.
  queue.wake();
  return {
    contacts,
    validations,
    rules,
    limits,
    identityServers,
    languageFor,
    queued,
    handlers: contactValidationHandlers({
      validations,
      languageFor,
      isRegistrationOpen: config.registration.mode !== "closed",
      publicBaseUrl: config.public_base_url,
    }),
    async [Symbol.asyncDispose]() {
      await queue[Symbol.asyncDispose]();
      http[Symbol.dispose]();
    },
  };
}

function composeWriter({ config }: Foundation, secrets: ValidationSecrets): MessageWriter {
  const { email, branding, server_name: serverName, public_base_url: publicBaseUrl } = config;
  const page = `${publicBaseUrl}${getContactConfirmation.path}`;
  return new MessageWriter({
    organisation: branding.organisation ?? serverName,
    serverName,
    fallbackLanguage: email.language,
    customTexts: email.template_dir === null ? new Map() : readCustomTexts(email.template_dir),
    secretsOf: (sid) => ({
      link: `${page}?${new URLSearchParams({ sid, token: secrets.token(sid) }).toString()}`,
      code: secrets.code(sid),
    }),
  });
}

function composeTransports({ config, clock }: Foundation): Map<ContactMedium, MessageTransport> {
  const { email, sms, server_name: serverName } = config;
  const transports = new Map<ContactMedium, MessageTransport>();
  if (email.from !== null) transports.set("email", emailTransport(email.smtp, email.from, serverName));
  if (sms.gateway_url !== null) {
    const http = composeOutbound(sms, clock);
    transports.set("msisdn", new SmsTransport(http, new URL(sms.gateway_url), sms.gateway_token));
  }
  return transports;
}

function emailTransport(...parts: ConstructorParameters<typeof EmailTransport>): EmailTransport {
  try {
    return new EmailTransport(...parts);
  } catch (error) {
    const [{ extra_ca_file: file }] = parts;
    throw new StartupError("bad-tls", `${file} (email.smtp.extra_ca_file) cannot be read.`, { cause: error });
  }
}
