import { writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import type { Test } from "tap";
import { type TestCertificate, testCertificate } from "../../src/outbound/testing/certificate.ts";
import { TestKey } from "./keys.ts";
import { type LoopbackAnswer, LoopbackServer } from "./loopback-server.ts";
import type { Json } from "./rooms.ts";
import { policySignature } from "./server-key.ts";

/** What a policy server is asked. */
export interface PolicyQuestion {
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly event: Json;
}

/** What it answers: a signature, or an error with its status; `undefined` says nothing at all. */
type PolicyVerdict = "sign" | { readonly status: number; readonly body: Json } | undefined;

/** A policy server on the loopback address, named by that address and its port. It signs room versions 11 and 12. */
export class PolicyServer {
  readonly certificate: string;
  readonly questions: PolicyQuestion[] = [];
  verdict: (question: PolicyQuestion) => PolicyVerdict = () => "sign";
  readonly #key = new TestKey();
  readonly #server: LoopbackServer;

  private constructor(tls: TestCertificate) {
    this.certificate = tls.cert;
    this.#server = new LoopbackServer((request) => this.#answer(request), tls);
  }

  static async start(t: Test): Promise<PolicyServer> {
    const policy = new PolicyServer(testCertificate("127.0.0.1"));
    await policy.#server.open();
    t.teardown(() => policy.#server.close());
    return policy;
  }

  get publicKey(): string {
    return this.#key.publicKey;
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
    return { status: 200, body: policySignature(this.name, this.#key, event) };
  }
}
