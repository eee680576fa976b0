import { Type } from "../schema/type.ts";

const secretText = Type.String({ minLength: 1, secret: true });

/** What clients need for calls. */
const calls = Type.Object({
  turn: Type.Object({
    uris: Type.Array(Type.String({ rule: "turn-uri" }), {
      description:
        "TURN servers, by which calls reach people behind firewalls, such as turn:turn.example.org?transport=udp. An " +
        "empty list: none.",
      default: [],
      maxItems: 100,
    }),
    shared_secret: Type.Union([secretText, Type.Null()], {
      description:
        "The secret that the TURN servers share with this server (static-auth-secret of coturn): each user gets " +
        "credentials of their own, which end after a while. null: everybody gets username and password.",
      default: null,
    }),
    credential_lifetime_seconds: Type.Integer({
      description: "How long credentials that were made with shared_secret can be used.",
      default: 86_400,
      minimum: 60,
      maximum: 2_592_000,
    }),
    username: Type.String({ description: "The same for everybody, without shared_secret.", default: "" }),
    password: Type.String({ description: "What goes with username.", default: "", secret: true }),
  }),
  livekit_service_urls: Type.Array(Type.String({ rule: "base-url" }), {
    description:
      "Services that let users into a LiveKit server (lk-jwt-service), for calls of Element Call; the best first. An " +
      "empty list: none.",
    default: [],
    maxItems: 100,
  }),
});

/** What clients and people find out about this server before they have an account. */
const wellKnown = Type.Object({
  map_style_url: Type.Union([Type.String({ rule: "web-address" }), Type.Null()], {
    description:
      "A map style (style.json) with which clients show shared locations. null: clients use their own, or show none.",
    default: null,
  }),
  client: Type.Record(Type.String(), Type.Unknown(), {
    description:
      "Further keys of /.well-known/matrix/client, for what some clients know and Hearth does not, such as " +
      "io.element.e2ee: {default: false}. They do not replace the keys that Hearth sets itself.",
    default: {},
  }),
  support_page: Type.Union([Type.String({ rule: "web-address" }), Type.Null()], {
    description: "A page on which people find help with this server, told in /.well-known/matrix/support.",
    default: null,
  }),
  support_contacts: Type.Array(
    Type.Object({
      role: Type.String({
        description: "m.role.admin for any questions, m.role.security for what is confidential.",
        minLength: 1,
      }),
      matrix_id: Type.Optional(
        Type.String({
          description: "A Matrix user; best one of another server, to be asked when this one is down.",
          rule: "user-id",
        }),
      ),
      email_address: Type.Optional(Type.String({ description: "An e-mail address.", minLength: 3 })),
    }),
    {
      description: "Whom to ask about this server, told in /.well-known/matrix/support.",
      default: [],
      maxItems: 100,
    },
  ),
  policy_server_key: Type.Union([Type.String({ rule: "ed25519-key" }), Type.Null()], {
    description:
      "The public key (Ed25519, unpadded Base64) of a policy server that runs under this server's name, told in " +
      "/.well-known/matrix/policy_server. null: there is none.",
    default: null,
  }),
});

export const discoveryKeys = { calls, well_known: wellKnown };
