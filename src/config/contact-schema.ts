import { Type } from "../schema/type.ts";
import { nullable, outboundKeys } from "./schema-parts.ts";

const smtp = Type.Object({
  host: Type.String({
    description: "The mail server that takes this server's e-mails: a host name or IP address.",
    default: "localhost",
    minLength: 1,
  }),
  port: Type.Integer({
    description: "Its port: 587 for STARTTLS, 465 for implicit TLS, 25 between machines.",
    default: 587,
    minimum: 1,
    maximum: 65_535,
  }),
  tls: Type.Enum(["starttls", "implicit", "opportunistic", "none"], {
    description:
      "How the connection is protected: starttls and implicit refuse to go on without TLS, opportunistic takes it when " +
      "the mail server offers it, none is for a mail server on this machine.",
    default: "starttls",
  }),
  user: nullable(Type.String({ minLength: 1 }), "Who signs in at the mail server. null: nobody does."),
  password: nullable(Type.String({ minLength: 1, secret: true }), "The password that goes with user."),
  extra_ca_file: nullable(
    Type.String({ minLength: 1, path: "file" }),
    "Certificates (PEM) of authorities to trust beside the usual ones, when connecting to the mail server.",
  ),
});

/** How the server reaches its users outside of Matrix, and what they may do with their addresses. */
export const contactKeys = {
  email: Type.Object({
    from: nullable(
      Type.String({ rule: "mailbox" }),
      "The sender of e-mails, such as Example Chat <chat@example.org>. null: no e-mails are sent, and nobody can " +
        "have an e-mail address in their account.",
    ),
    smtp,
    language: Type.String({
      description:
        "The language of e-mails to people whose own language is not known or has no texts: en, zh, or one that " +
        "template_dir brings.",
      default: "en",
      minLength: 1,
    }),
    template_dir: nullable(
      Type.String({ minLength: 1, path: "folder" }),
      "A folder with texts of your own, which stand over those of Hearth: LANGUAGE/KIND.txt, and LANGUAGE/KIND.html " +
        "if you like. The first line is the subject; {{organisation}}, {{link}} and the rest are filled in. The kinds " +
        "and their values are in src/delivery/texts/en.ts.",
    ),
    allowed_addresses: Type.Array(Type.String({ minLength: 1 }), {
      description:
        "Which addresses users may have, such as *@example.org; * stands for anything. An empty list allows all.",
      default: [],
      maxItems: 1000,
    }),
    allowed_next_link_hosts: nullable(
      Type.Array(Type.String({ minLength: 1 }), { maxItems: 1000 }),
      "Hosts to which a client may have people sent after they have confirmed an address, such as chat.example.org. " +
        "null: any; an empty list: none.",
    ),
  }),
  sms: Type.Object({
    gateway_url: nullable(
      Type.String({ rule: "base-url" }),
      "Where text messages are handed over: for each one, a POST of JSON with to (the number, digits only) and text. " +
        "null: no text messages are sent, and nobody can have a telephone number in their account.",
    ),
    gateway_token: nullable(
      Type.String({ minLength: 1, secret: true }),
      "Sent to the gateway as Authorization: Bearer, so that it knows this server.",
    ),
    ...outboundKeys("the gateway for text messages"),
  }),
  contacts: Type.Object({
    user_changes: Type.Boolean({
      description:
        "Whether users may add and remove their own e-mail addresses and telephone numbers. Switch it off where they " +
        "come from a directory.",
      default: true,
    }),
  }),
  identity_servers: Type.Object({
    allowed: Type.Array(Type.String({ minLength: 1 }), {
      description:
        "Identity servers (host names, with a port if needed) at which users may publish their addresses, look up those " +
        "of others, and leave invitations. They learn who invites whom. An empty list: none.",
      default: [],
      maxItems: 100,
    }),
    ...outboundKeys("identity servers"),
  }),
  third_party_invites: Type.Object({
    find_local_users: Type.Boolean({
      description:
        "Whether somebody who invites an e-mail address or telephone number invites the user of this server who has it. " +
        "It tells the inviter whose it is: for organisations in which everybody may know that.",
      default: false,
    }),
    by_email: Type.Boolean({
      description:
        "Whether users may invite people by e-mail without an identity server. Hearth writes to the address, and invites " +
        "whoever proves to have it in an account here.",
      default: false,
    }),
  }),
};

/** Kinds of addresses that people have to prove, or may, when they register. */
export const addressAtRegistration = (what: string, needs: string) =>
  Type.Enum(["off", "optional", "required"], {
    description: `Whether people prove ${what} when they register, which then is in their account. It needs ${needs}.`,
    default: "off",
  });

/** A policy that people accept when they register. */
export const registrationTerms = Type.Array(
  Type.Object({
    id: Type.String({ description: "Names the policy, such as terms_of_service.", rule: "opaque-id" }),
    version: Type.String({
      description: "The version that people accept, such as 1.2; kept with their accounts.",
      rule: "opaque-id",
    }),
    translations: Type.Array(
      Type.Object({
        language: Type.String({ description: "The language, such as en.", rule: "language" }),
        name: Type.String({ description: "The policy's name in this language.", minLength: 1 }),
        url: Type.String({ description: "Where its text can be read.", rule: "web-address" }),
      }),
      {
        description: "A list with language (such as en), name and url for each language.",
        minItems: 1,
        maxItems: 100,
      },
    ),
  }),
  {
    description: "Policies, such as terms of service, that people have to accept when they register.",
    default: [],
    maxItems: 20,
  },
);

/** What a new password has to be. */
export const passwordKeys = {
  min_length: Type.Integer({
    description: "The fewest characters that a new password has.",
    default: 8,
    minimum: 1,
    maximum: 128,
  }),
  require_digit: Type.Boolean({ description: "Whether it needs a digit.", default: false }),
  require_symbol: Type.Boolean({
    description: "Whether it needs a character that is neither letter nor digit.",
    default: false,
  }),
  require_lower_case: Type.Boolean({ description: "Whether it needs a small letter.", default: false }),
  require_upper_case: Type.Boolean({ description: "Whether it needs a capital letter.", default: false }),
};
