import { createHmac } from "node:crypto";
import t from "tap";
import { systemRandomBytes } from "../telemetry/random.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { SharedSecret, type SharedSecretRequest } from "./shared-secret.ts";

function signed(
  nonce: string,
  changes: Partial<SharedSecretRequest> = {},
  secret = "secret",
): SharedSecretRequest {
  const request = {
    nonce,
    username: "alice",
    password: "pass word",
    admin: true,
    userType: null,
    ...changes,
  };
  const parts = [nonce, request.username, request.password, request.admin ? "admin" : "notadmin"];
  if (request.userType) parts.push(request.userType);
  return { mac: createHmac("sha1", secret).update(parts.join("\0")).digest("hex"), ...request };
}

t.test("a proof is good once", async (t) => {
  const sharedSecret = new SharedSecret("secret", new ManualClock(), systemRandomBytes);
  const request = signed(sharedSecret.newNonce());
  t.doesNotThrow(() => sharedSecret.check(request));
  t.throws(() => sharedSecret.check(request), { message: /nonce/ });
  t.doesNotThrow(() =>
    sharedSecret.check(signed(sharedSecret.newNonce(), { admin: false, userType: "bot" })),
  );
});

t.test("a proof is good for what it was made for", async (t) => {
  const sharedSecret = new SharedSecret("secret", new ManualClock(), systemRandomBytes);
  const changed: ((request: SharedSecretRequest) => SharedSecretRequest)[] = [
    (request) => ({ ...request, admin: false }),
    (request) => ({ ...request, username: "bob" }),
    (request) => ({ ...request, userType: "bot" }),
    (request) => ({ ...request, mac: request.mac.slice(2) }),
    (request) => ({ ...request, mac: "" }),
    (request) => ({ ...request, mac: "zz".repeat(20) }),
    (request) => ({ ...signed(request.nonce, {}, "other secret") }),
  ];
  for (const change of changed) {
    t.throws(() => sharedSecret.check(change(signed(sharedSecret.newNonce()))), { message: /mac/ });
  }
  const ambiguous = signed(sharedSecret.newNonce(), { username: "al\0ice" });
  t.throws(() => sharedSecret.check(ambiguous), { message: /NUL/ });
});

t.test("a nonce has to be one of ours, and lasts a minute", async (t) => {
  const clock = new ManualClock();
  const sharedSecret = new SharedSecret("secret", clock, systemRandomBytes);
  t.throws(() => sharedSecret.check(signed("made up")), { message: /nonce/ });
  const nonce = sharedSecret.newNonce();
  clock.advance(60_001);
  t.throws(() => sharedSecret.check(signed(nonce)), { message: /nonce/ });
});
