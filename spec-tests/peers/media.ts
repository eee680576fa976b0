import { createHash, randomBytes } from "node:crypto";
import type { Test } from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { bothWays, type Meeting, type Peers, titleOf } from "./peer.ts";
import { ok } from "../support/views.ts";

/** Files of one server, looked at by users of the other. */
export function testMedia(t: Test, { hearth, synapse }: Peers): void {
  for (const meeting of bothWays(hearth, synapse)) {
    t.test(`a file is downloaded from the other server, ${titleOf(meeting)}`, (t) => download(t, meeting));
  }
}

async function upload({ server, accessToken }: TestClient, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const response = await fetch(`${server.url}/_matrix/media/v3/upload?filename=noise.bin`, {
    method: "POST",
    headers: { Authorization: `Bearer ${accessToken}`, "Content-Type": "application/octet-stream" },
    body: bytes,
  });
  const body = (await response.json()) as Record<string, unknown>;
  return String(ok({ status: response.status, body, headers: response.headers }, "uploading")["content_uri"]);
}

async function download(t: Test, { host, guest }: Meeting): Promise<void> {
  const alice = await registerUser(host);
  const bob = await registerUser(guest);
  for (const size of [1, 3_000_000]) {
    const bytes = new Uint8Array(randomBytes(size));
    const uri = await upload(alice, bytes);
    const path = `/_matrix/client/v1/media/download/${uri.slice("mxc://".length)}`;
    const response = await fetch(guest.url + path, {
      headers: { Authorization: `Bearer ${bob.accessToken}` },
    });
    t.equal(response.status, 200);
    t.equal(hashOf(new Uint8Array(await response.arrayBuffer())), hashOf(bytes), `${size} bytes`);
    t.match(response.headers.get("Content-Disposition"), /noise\.bin/);
  }
  const missing = `/_matrix/client/v1/media/download/${host.name}/nothing`;
  const answer = await bob.get(missing);
  t.equal(answer.status, 404, "what is not there is not there");
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
