import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { generateKeyPairSync } from "node:crypto";
import { json } from "node:stream/consumers";
import { type ClientMetadata, Provider } from "oidc-provider";

// An OpenID Connect provider as a process of its own. Whoever comes is signed in as the person of its settings, which
// a test changes by POST /settings. It is told its client as JSON in the first argument.

interface Settings {
  /** The claims of whoever comes next; `sub` is who that is. */
  person: Record<string, unknown>;
  /** Whether whoever comes next refuses. */
  refuses: boolean;
  /** How far its clock is ahead; behind when it is negative. */
  skewMs: number;
  /** Answers nobody's request for tokens. */
  hangs: boolean;
  /** Tells nobody its keys. */
  hidesKeys: boolean;
  /** Signs by another key from now on. */
  newKey?: boolean;
}

const settings: Settings = {
  person: { sub: "nobody" },
  refuses: false,
  skewMs: 0,
  hangs: false,
  hidesKeys: false,
};
const people = new Map<string, Record<string, unknown>>();
const client = JSON.parse(process.argv[2] ?? "{}") as ClientMetadata;

const realNow = Date.now;
Date.now = () => realNow() + settings.skewMs;

const server = createServer((request, response) => void serve(request, response));
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  provider = makeProvider(issuer);
  console.log(issuer);
});

let provider: Provider;
let keys = 0;

function makeProvider(issuer: string): Provider {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  keys += 1;
  return new Provider(issuer, {
    clients: [client],
    jwks: {
      keys: [{ ...privateKey.export({ format: "jwk" }), kid: `key-${keys}`, use: "sig", alg: "RS256" }],
    },
    cookies: { keys: ["a test's secret"] },
    claims: {
      openid: ["sub"],
      profile: ["name", "preferred_username", "groups"],
      email: ["email", "email_verified"],
    },
    // So short that a clock which goes wrong is noticed.
    ttl: { IdToken: 60 },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: async () => ({ sub, ...people.get(sub) }) }),
  });
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url = "", method } = request;
  if (url === "/settings" && method === "POST") {
    Object.assign(settings, await json(request));
    if (settings.newKey) provider = makeProvider(provider.issuer);
    settings.newKey = false;
    response.end("{}");
  } else if (url.startsWith("/interaction/")) {
    await interact(request, response);
  } else if (settings.hidesKeys && url === "/jwks") {
    response.setHeader("Content-Type", "application/json").end('{"keys":[]}');
  } else if (!(settings.hangs && url === "/token")) {
    await provider.callback()(request, response);
  }
}

async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (settings.refuses) {
    const refusal = { error: "access_denied", error_description: "the person refuses" };
    await provider.interactionFinished(request, response, refusal);
    return;
  }
  const { params, prompt, session } = await provider.interactionDetails(request, response);
  const accountId = String(settings.person["sub"]);
  if (prompt.name === "login") {
    people.set(accountId, settings.person);
    await provider.interactionFinished(request, response, { login: { accountId, remember: false } });
    return;
  }
  const grant = new provider.Grant({
    accountId: session?.accountId ?? accountId,
    clientId: String(params["client_id"]),
  });
  grant.addOIDCScope(String(params["scope"]));
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}
