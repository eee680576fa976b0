import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { StartupError } from "../config/startup-error.ts";
import { systemRandomBytes } from "../telemetry/random.ts";
import { loadSigningKey } from "./signing-key.ts";

t.test("the first start makes a key, which later ones load", async (t) => {
  const folder = t.testdir({});
  const made = loadSigningKey(folder, systemRandomBytes);
  t.match(made.keyId, /^ed25519:a_[0-9a-f]{6}$/);
  t.strictSame(readdirSync(folder), ["signing.key"]);
  t.equal(statSync(join(folder, "signing.key")).mode & 0o777, 0o600, "nobody else can read it");
  const text = readFileSync(join(folder, "signing.key"), "utf8");
  t.strictSame(loadSigningKey(folder, systemRandomBytes), made);
  t.equal(readFileSync(join(folder, "signing.key"), "utf8"), text);
});

t.test("a key that was half written when the machine stopped is made anew", async (t) => {
  const folder = t.testdir({ "signing.key.new": "ed25519 a_12" });
  const made = loadSigningKey(folder, systemRandomBytes);
  t.strictSame(readdirSync(folder), ["signing.key"]);
  t.equal(loadSigningKey(folder, systemRandomBytes).keyId, made.keyId);
});

t.test("a file without a key is never overwritten", async (t) => {
  for (const text of ["", "ed25519 a_12", "rsa a_12 AAAA", "ed25519 a_12 AAAA"]) {
    const folder = t.testdir({ "signing.key": text });
    t.throws(() => loadSigningKey(folder, systemRandomBytes), StartupError);
    t.equal(readFileSync(join(folder, "signing.key"), "utf8"), text);
  }
});
