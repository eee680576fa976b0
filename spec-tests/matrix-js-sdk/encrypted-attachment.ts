import type { EncryptedFile } from "matrix-js-sdk/lib/types.js";

const { subtle } = globalThis.crypto;
const counterBits = 64;

/** Encrypts a file as clients do (client-server API, "Sending encrypted attachments"); `url` is the caller's to add. */
export async function encryptAttachment(
  data: Uint8Array<ArrayBuffer>,
): Promise<{ encrypted: Uint8Array<ArrayBuffer>; info: Omit<EncryptedFile, "url"> }> {
  const key = await subtle.generateKey({ name: "AES-CTR", length: 256 }, true, ["encrypt", "decrypt"]);
  const iv = new Uint8Array(16);
  globalThis.crypto.getRandomValues(iv.subarray(0, 8));
  const encrypted = await subtle.encrypt({ name: "AES-CTR", counter: iv, length: counterBits }, key, data);
  const { k = "" } = await subtle.exportKey("jwk", key);
  return {
    encrypted: new Uint8Array(encrypted),
    info: {
      v: "v2",
      key: { alg: "A256CTR", ext: true, k, key_ops: ["encrypt", "decrypt"], kty: "oct" },
      iv: unpaddedBase64(iv),
      hashes: { sha256: await sha256(encrypted) },
    },
  };
}

/** @throws when the file is not the one that was sent */
export async function decryptAttachment(encrypted: ArrayBuffer, info: EncryptedFile): Promise<Uint8Array> {
  if ((await sha256(encrypted)) !== info.hashes["sha256"]) throw new Error("the file has another hash");
  const key = await subtle.importKey("jwk", info.key, { name: "AES-CTR" }, false, ["decrypt"]);
  const algorithm = { name: "AES-CTR", counter: Buffer.from(info.iv, "base64"), length: counterBits };
  return new Uint8Array(await subtle.decrypt(algorithm, key, encrypted));
}

async function sha256(data: ArrayBuffer): Promise<string> {
  return unpaddedBase64(new Uint8Array(await subtle.digest("SHA-256", data)));
}

function unpaddedBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}
