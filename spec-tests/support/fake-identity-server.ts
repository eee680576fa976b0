import { createHash, createPrivateKey, createPublicKey, type KeyObject, verify } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { canonical } from "./canonical-json.ts";
import { TestKey } from "./keys.ts";
import { type LoopbackAnswer, LoopbackServer } from "./loopback-server.ts";

// An identity server (identity service API) on the loopback address. It shares nothing with the server that it is for, so
// that both cannot have the same fault.

type Json = Record<string, unknown>;

/** Private key and certificate, as PEM. */
interface Tls {
  readonly key: string;
  readonly cert: string;
}

interface StoredInvite {
  readonly request: Json;
  readonly token: string;
}

const accessToken = "identity-token";
const pepper = "matrixrocks";

/** The public key that goes with the seed in a server's signing.key. */
export function publicKeyOfSeed(seed: string): KeyObject {
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  const der = Buffer.concat([prefix, Buffer.from(seed, "base64")]);
  return createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
}

export class FakeIdentityServer implements AsyncDisposable {
  readonly #server: LoopbackServer;
  readonly #cert: string;
  readonly #key = new TestKey();
  /** What has been bound: an address with its medium, to a user. */
  readonly bindings = new Map<string, string>();
  /** Sessions that somebody has completed here, by their IDs. */
  readonly sessions = new Map<string, { secret: string; medium: string; address: string }>();
  readonly invites: StoredInvite[] = [];
  readonly requests: string[] = [];
  /** Answers in place of what would be answered, by paths. */
  readonly verdicts = new Map<string, LoopbackAnswer>();
  /** Whose signatures take addresses back. */
  homeserverKey: KeyObject | undefined;
  isKeyValid = true;

  private constructor(tls: Tls) {
    this.#server = new LoopbackServer((request) => this.#serve(request), tls);
    this.#cert = tls.cert;
  }

  static async start(tls: Tls): Promise<FakeIdentityServer> {
    const identity = new FakeIdentityServer(tls);
    await identity.#server.open();
    return identity;
  }

  /** Its name, as clients call it. */
  get host(): string {
    return this.#server.host;
  }

  get certificate(): string {
    return this.#cert;
  }

  get accessToken(): string {
    return accessToken;
  }

  get publicKey(): string {
    return this.#key.publicKey;
  }

  /** What it would hand to whoever has bound the address of an invite (server-server API, `onbind`). */
  signInvite({ token, request }: StoredInvite, userId: string): Json {
    const signed = this.#key.signed({ mxid: userId, token }, this.host, "ed25519:0");
    return { ...signed, sender: request["sender"] };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.close();
  }

  async #serve(request: IncomingMessage): Promise<LoopbackAnswer> {
    const { pathname, searchParams } = new URL(request.url ?? "", "https://identity.test");
    const path = pathname.replace("/_matrix/identity/v2", "");
    this.requests.push(`${request.method} ${path}`);
    const verdict = this.verdicts.get(path);
    if (verdict) return verdict;
    if (path === "/pubkey/isvalid" || path === "/pubkey/ephemeral/isvalid") {
      const isKnown = searchParams.get("public_key") === this.publicKey;
      return { status: 200, body: { valid: isKnown && this.isKeyValid } };
    }
    const body = request.method === "POST" ? ((await json(request)) as Json) : {};
    if (path === "/3pid/unbind") return this.#unbind(request, body);
    if (request.headers.authorization !== `Bearer ${accessToken}`) {
      return { status: 401, body: { errcode: "M_UNAUTHORIZED", error: "Unknown token" } };
    }
    if (path === "/hash_details")
      return { status: 200, body: { lookup_pepper: pepper, algorithms: ["none", "sha256"] } };
    if (path === "/lookup") return this.#lookUp(body);
    if (path === "/store-invite") return this.#storeInvite(body);
    if (path === "/3pid/bind") return this.#bind(body);
    return { status: 404, body: { errcode: "M_UNRECOGNIZED", error: "Unrecognized" } };
  }

  #lookUp({ addresses, pepper: given }: Json): LoopbackAnswer {
    if (given !== pepper)
      return { status: 400, body: { errcode: "M_INVALID_PEPPER", error: "Wrong pepper" } };
    const mappings: Json = {};
    for (const [contact, userId] of this.bindings) {
      const hashed = createHash("sha256").update(`${contact} ${pepper}`).digest("base64url");
      if ((addresses as string[]).includes(hashed)) mappings[hashed] = userId;
    }
    return { status: 200, body: { mappings } };
  }

  #storeInvite(request: Json): LoopbackAnswer {
    if (request["medium"] !== "email") {
      return { status: 400, body: { errcode: "M_UNRECOGNIZED", error: "Unsupported medium" } };
    }
    const token = `token${this.invites.length}`;
    this.invites.push({ token, request });
    const isValid = `https://${this.host}/_matrix/identity/v2/pubkey/isvalid`;
    const keys = [{ public_key: this.publicKey, key_validity_url: isValid }];
    return { status: 200, body: { token, public_keys: keys, display_name: "b...@e..." } };
  }

  #bind({ sid, client_secret: secret, mxid }: Json): LoopbackAnswer {
    const session = this.sessions.get(String(sid));
    if (session?.secret !== secret) {
      return { status: 400, body: { errcode: "M_SESSION_NOT_VALIDATED", error: "Not validated" } };
    }
    const { medium = "", address = "" } = session ?? {};
    this.bindings.set(`${address} ${medium}`, String(mxid));
    return {
      status: 200,
      body: { medium, address, mxid, not_before: 0, not_after: 1, ts: 0, signatures: {} },
    };
  }

  #unbind({ headers, method, url }: IncomingMessage, content: Json): LoopbackAnswer {
    const parts = /^X-Matrix origin="([^"]+)",destination="([^"]+)",key="([^"]+)",sig="([^"]+)"$/.exec(
      headers.authorization ?? "",
    );
    const [, origin = "", destination = "", , signature = ""] = parts ?? [];
    const text = canonical({ content, destination, method, origin, uri: url });
    const isRight =
      this.homeserverKey !== undefined &&
      verify(null, Buffer.from(text), this.homeserverKey, Buffer.from(signature, "base64"));
    if (!isRight || destination !== this.host) {
      return { status: 403, body: { errcode: "M_FORBIDDEN", error: "Not signed by the homeserver" } };
    }
    const { medium, address } = content["threepid"] as { medium: string; address: string };
    this.bindings.delete(`${address} ${medium}`);
    return { status: 200, body: {} };
  }
}
