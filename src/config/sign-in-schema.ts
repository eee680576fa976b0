import { Type } from "../schema/type.ts";
import { nullable, outboundKeys } from "./schema-parts.ts";

const attributeRequirement = Type.Object({
  claim: Type.String({
    description: "The claim's name, such as groups; dots lead into objects.",
    minLength: 1,
  }),
  values: Type.Array(Type.String(), {
    description: "One of these has to be the claim's value, or in its list. An empty list takes any value.",
    default: [],
    maxItems: 1000,
  }),
});

const claimTemplate = Type.String({ rule: "claim-template" });

const endpointAddress = (what: string) =>
  nullable(
    Type.String({ rule: "base-url" }),
    `The provider's ${what} endpoint, for a provider whose issuer does not tell its endpoints.`,
  );

const provider = Type.Object({
  id: Type.String({
    description:
      "Names the provider in addresses and in the database: never change it once people have signed in.",
    rule: "provider-id",
  }),
  name: Type.String({ description: "What people call it, as on the button that leads there.", minLength: 1 }),
  icon: nullable(Type.String({ minLength: 1 }), "A picture for the button: the mxc:// address of an upload."),
  brand: nullable(
    Type.String({ minLength: 1 }),
    "What kind of provider it is, for clients that have pictures of their own: apple, github, gitlab, google ...",
  ),
  issuer: Type.String({
    description: "The provider's issuer address. Its endpoints and keys are found from there.",
    rule: "base-url",
  }),
  authorization_endpoint: endpointAddress("authorization"),
  token_endpoint: endpointAddress("token"),
  userinfo_endpoint: endpointAddress("userinfo"),
  jwks_uri: endpointAddress("key set"),
  client_id: Type.String({ description: "What this server is called at the provider.", minLength: 1 }),
  client_secret: nullable(
    Type.String({ minLength: 1, secret: true }),
    "The secret that goes with client_id.",
  ),
  client_secret_file: nullable(
    Type.String({ minLength: 1, path: "file" }),
    "A file that holds the secret, in place of client_secret.",
  ),
  client_auth_method: Type.Enum(["client_secret_basic", "client_secret_post", "none"], {
    description: "How the secret is sent; none for a client without a secret.",
    default: "client_secret_basic",
  }),
  scopes: Type.Array(Type.String({ minLength: 1 }), {
    description: "What is asked of the provider.",
    default: ["openid", "profile", "email"],
    maxItems: 100,
  }),
  user_info: Type.Boolean({
    description: "Whether claims are fetched from the userinfo endpoint, beside those of the ID token.",
    default: true,
  }),
  clock_skew_s: Type.Integer({
    description: "By how many seconds the provider's clock may differ from this server's.",
    default: 60,
    minimum: 0,
    maximum: 600,
  }),
  timeout_ms: Type.Integer({
    description: "How long the provider may take for an answer, in milliseconds.",
    default: 10_000,
    minimum: 100,
    maximum: 60_000,
  }),
  subject: Type.String({
    description:
      "What tells the provider's users apart for ever. In this and the next four, {claim} stands for a claim's value, " +
      "{a.b} for one within another, {email|localpart} for what is before the @, {name|lowercase} for small letters.",
    default: "{sub}",
    rule: "claim-template",
  }),
  localpart: nullable(
    claimTemplate,
    "The username of somebody who comes for the first time, such as {preferred_username}. When it is null, or taken, " +
      "they choose one.",
  ),
  display_name: nullable(claimTemplate, "The display name of somebody new, such as {name}."),
  email: nullable(
    claimTemplate,
    "The e-mail address of somebody new, such as {email}, unless the provider says that it is not verified.",
  ),
  confirm_localpart: Type.Boolean({
    description: "Whether somebody new may change the username that localpart gives.",
    default: false,
  }),
  link_existing_accounts: Type.Boolean({
    description:
      "Whether an account that has the username that localpart gives is taken for theirs. Only for a provider whose " +
      "users cannot choose that name, or anybody could take over an account.",
    default: false,
  }),
  register_new_users: Type.Boolean({
    description: "Whether somebody who comes for the first time gets an account.",
    default: true,
  }),
  required_attributes: Type.Array(attributeRequirement, {
    description:
      "Who may sign in: what every entry says has to hold. An entry has claim, a claim's name (groups; a.b for one " +
      "within another), and values, one of which has to be the claim's value or in its list; without values any will do.",
    default: [],
    maxItems: 100,
  }),
  ...outboundKeys("the provider"),
});

/** How people sign in: single sign-on, the OAuth 2.0 API, and how the pages for it look. */
export const signInKeys = {
  sso: Type.Object({
    providers: Type.Array(provider, {
      description:
        "OpenID Connect providers where people can sign in. The provider has to know the redirect address " +
        "BASE/_synapse/client/oidc/callback, where BASE is public_base_url.",
      default: [],
      maxItems: 100,
    }),
    trusted_clients: Type.Array(Type.String({ minLength: 1 }), {
      description:
        "Addresses of web clients, such as https://chat.example.org/, to which people are sent back without being " +
        "asked. A link from anywhere could otherwise hand somebody's account to a stranger's page.",
      default: [],
      maxItems: 1000,
    }),
  }),
  oauth: Type.Object({
    enabled: Type.Boolean({
      description:
        "Whether clients can sign in by the OAuth 2.0 API, on pages of this server. Some clients need it, Element X " +
        "among them.",
      default: true,
    }),
    legacy_password_login: Type.Enum(["offered", "discouraged", "off"], {
      description:
        "Whether people type their passwords into clients: offered beside the pages of this server; discouraged, where " +
        "clients that know about it lead to those pages instead; or off.",
      default: "offered",
    }),
  }),
  branding: Type.Object({
    organisation: nullable(
      Type.String({ minLength: 1 }),
      "The name on the pages where people sign in. null: the server's name.",
    ),
    accent_colour: Type.String({
      description: "The colour of buttons and borders there, as #rrggbb.",
      default: "#1f5fbf",
      rule: "colour",
    }),
    logo_file: nullable(
      Type.String({ minLength: 1, path: "file" }),
      "A picture for the head of those pages: PNG, JPEG, WebP or SVG.",
    ),
  }),
};
