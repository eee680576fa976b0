import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import type { Test } from "tap";
import { type TestCertificate, testCertificate } from "../../src/outbound/testing/certificate.ts";
import { canonical, unpadded } from "./canonical-json.ts";
import { type LoopbackAnswer, LoopbackServer } from "./loopback-server.ts";
import type { Json } from "./rooms.ts";

/** What a policy server is asked. */
export interface PolicyQuestion {
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly event: Json;
}

/** What it answers: a signature, or an error with its status; `undefined` says nothing at all. */
type PolicyVerdict = "sign" | { readonly status: number; readonly body: Json } | undefined;

const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

/** A policy server on the loopback address, named by that address and its port. It signs room versions 11 and 12. */
export class PolicyServer {
  readonly certificate: string;
  readonly publicKey: string;
  readonly questions: PolicyQuestion[] = [];
  verdict: (question: PolicyQuestion) => PolicyVerdict = () => "sign";
  readonly #key = createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, Buffer.alloc(32, 9)]),
    format: "der",
    type: "pkcs8",
  });
  readonly #server: LoopbackServer;

  private constructor(tls: TestCertificate) {
    this.certificate = tls.cert;
    const { x = "" } = createPublicKey(this.#key).export({ format: "jwk" });
    this.publicKey = unpadded(Buffer.from(x, "base64url"));
    this.#server = new LoopbackServer((request) => this.#answer(request), tls);
  }

  static async start(t: Test): Promise<PolicyServer> {
    const policy = new PolicyServer(testCertificate("127.0.0.1"));
    await policy.#server.open();
    t.teardown(() => policy.#server.close());
    return policy;
  }

  get name(): string {
    return this.#server.host;
  }

  /** What a server needs in its configuration to reach it. */
  async configFor(folder: string): Promise<Json> {
    const file = `${folder}/policy-server.pem`;
    await writeFile(file, this.certificate);
    return { federation: { allowed_private_ranges: ["127.0.0.1"], extra_ca_file: file } };
  }

  /** The state event that names it. */
  get policy(): Json {
    return { via: this.name, public_keys: { ed25519: this.publicKey } };
  }

  async #answer(request: IncomingMessage): Promise<LoopbackAnswer | undefined> {
    const event = (await json(request)) as Json;
    const question = { path: request.url, authorization: request.headers.authorization, event };
    this.questions.push(question);
    const verdict = this.verdict(question);
    if (verdict !== "sign") return verdict;
    const signature = unpadded(sign(null, Buffer.from(signedText(event)), this.#key));
    return { status: 200, body: { [this.name]: { "ed25519:policy_server": signature } } };
  }
}

const keptKeys = [
  "auth_events",
  "content",
  "depth",
  "event_id",
  "hashes",
  "origin_server_ts",
  "prev_events",
  "room_id",
  "sender",
  "state_key",
  "type",
];
const keptContent: Record<string, readonly string[]> = {
  "m.room.member": ["membership", "join_authorised_via_users_server"],
  "m.room.join_rules": ["join_rule", "allow"],
  "m.room.history_visibility": ["history_visibility"],
  "m.room.redaction": ["redacts"],
};

/** The redacted event in canonical JSON (room version 11, "Redactions"). */
function signedText(event: Json): string {
  const content = event["content"] as Json;
  const kept = (keptContent[String(event["type"])] ?? []).filter((key) => key in content);
  const entries = keptKeys.filter((key) => key in event).map((key) => [key, event[key]]);
  const redacted = Object.fromEntries(entries) as Json;
  return canonical({ ...redacted, content: Object.fromEntries(kept.map((key) => [key, content[key]])) });
}
