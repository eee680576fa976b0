import { createHash } from "node:crypto";
import { canonical, unpadded } from "./canonical-json.ts";
import { TestKey } from "./keys.ts";

// How servers of another make hash and sign. They have their own canonical JSON, so that they do not share our faults.

type Json = Record<string, unknown>;

/** Keys of a redacted event in room version 11, and of the contents of events. */
const keptKeys = new Set(
  "event_id type room_id sender state_key content hashes signatures depth prev_events auth_events origin_server_ts".split(
    " ",
  ),
);
const keptContentKeys: Readonly<Record<string, string>> = {
  "m.room.member": "membership join_authorised_via_users_server",
  "m.room.join_rules": "join_rule allow",
  "m.room.power_levels": "ban events events_default invite kick redact state_default users users_default",
  "m.room.history_visibility": "history_visibility",
  "m.room.redaction": "redacts",
};

export function without(object: Json, ...keys: string[]): Json {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

function redacted(event: Json): Json {
  const type = String(event["type"]);
  const keys = new Set((keptContentKeys[type] ?? "").split(" "));
  const content = Object.entries((event["content"] ?? {}) as Json);
  const kept = content.filter(([key]) => type === "m.room.create" || keys.has(key));
  const top = Object.entries(event).filter(([key]) => keptKeys.has(key));
  return { ...Object.fromEntries(top), content: Object.fromEntries(kept) };
}

/** What the signatures of an event cover, and its ID is the hash of. */
function coveredText(event: Json): string {
  return canonical(without(redacted(event), "signatures", "unsigned"));
}

function hashOf(text: string, encoding: "base64" | "base64url" = "base64"): string {
  return unpadded(createHash("sha256").update(text).digest(), encoding);
}

/** The key of one server, whether anything answers under its name or not. Events are those of room version 11. */
export class ServerKey {
  readonly name: string;
  readonly #key = new TestKey();

  constructor(name: string) {
    this.name = name;
  }

  get publicKey(): string {
    return this.#key.publicKey;
  }

  signature(text: string): string {
    return this.#key.signature(text);
  }

  /** What says that the key is this server's. */
  document(): Json {
    const document = {
      server_name: this.name,
      verify_keys: { "ed25519:1": { key: this.publicKey } },
      old_verify_keys: {},
      valid_until_ts: Date.now() + 24 * 3_600_000,
    };
    return this.#key.signed(document, this.name, "ed25519:1");
  }

  /** An event with hash, signature and ID, which is that of the fields where they have one: old rooms want it so. */
  event(fields: Json): { readonly id: string; readonly pdu: Json } {
    const sha256 = hashOf(canonical(without(fields, "signatures", "unsigned", "hashes")));
    const pdu = this.countersigned({ ...fields, hashes: { sha256 }, signatures: {} });
    return {
      id: (fields["event_id"] as string | undefined) ?? `$${hashOf(coveredText(pdu), "base64url")}`,
      pdu,
    };
  }

  /** An event with this server's signature beside those that it has. */
  countersigned(event: Json): Json {
    const signature = { "ed25519:1": this.signature(coveredText(event)) };
    return { ...event, signatures: { ...(event["signatures"] as Json), [this.name]: signature } };
  }
}

/** The answer of a policy server to `POST /_matrix/policy/v1/sign` for what it wants in a room. */
export function policySignature(name: string, key: Pick<TestKey, "signature">, event: Json): Json {
  return { [name]: { "ed25519:policy_server": key.signature(coveredText(event)) } };
}
