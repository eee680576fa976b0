import { parentPort } from "node:worker_threads";
import { VerifyKey } from "../../protocol/ed25519.ts";

/** Signatures to check: the signed texts stand in `messages` one after the other. */
export interface SignatureBatch {
  readonly publicKeys: readonly string[];
  readonly signatures: readonly string[];
  readonly lengths: readonly number[];
  readonly messages: Uint8Array;
}

if (!parentPort) throw new Error("signatures are checked in workers only");
const port = parentPort;
/** Making a key takes as long as checking a signature. */
const keys = new Map<string, VerifyKey>();
const maxKeys = 10_000;

function keyOf(publicKey: string): VerifyKey {
  const known = keys.get(publicKey);
  if (known) return known;
  const key = new VerifyKey("ed25519:any", publicKey);
  if (keys.size >= maxKeys) keys.clear();
  keys.set(publicKey, key);
  return key;
}

port.on("message", ({ publicKeys, signatures, lengths, messages }: SignatureBatch) => {
  let offset = 0;
  const verdicts = publicKeys.map((publicKey, index) => {
    const message = messages.subarray(offset, offset + (lengths[index] ?? 0));
    offset += message.length;
    return keyOf(publicKey).verify(message, signatures[index] ?? "");
  });
  port.postMessage(verdicts);
});
