import { hash } from "@node-rs/argon2";
import t from "tap";
import { systemClock } from "../telemetry/clock.ts";
import { PasswordHasher } from "./password-hasher.ts";

const cost = { memoryKib: 64, passes: 1 };

t.test("a password is told from others by its hash", async (t) => {
  const hasher = new PasswordHasher(cost, systemClock);
  const passwordHash = await hasher.hash("pass word");
  t.match(passwordHash, /^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
  t.equal(await hasher.verify(passwordHash, "pass word"), true);
  t.equal(await hasher.verify(passwordHash, "pass word "), false);
  t.equal(await hasher.verify(passwordHash, ""), false);
  t.not(await hasher.hash("pass word"), passwordHash, "each has its own salt");
});

t.test("no password fits where there is no hash, not even the empty one", async (t) => {
  const hasher = new PasswordHasher(cost, systemClock);
  t.equal(await hasher.verify(null, ""), false);
  t.equal(await hasher.verify(null, "pass word"), false);
});

t.test("a hash of another cost is outdated", async (t) => {
  const hasher = new PasswordHasher(cost, systemClock);
  const older = await hash("pass word", { memoryCost: 32, timeCost: 1 });
  t.equal(await hasher.isOutdated(older), true);
  t.equal(await hasher.isOutdated(await hasher.hash("pass word")), false);
  t.equal(await hasher.verify(older, "pass word"), true);
});

t.test("many passwords wait for their turn; too many are refused, and that passes", async (t) => {
  const hasher = new PasswordHasher(cost, systemClock);
  const attempts = Array.from({ length: 400 }, (_, index) => hasher.hash(`password ${index}`));
  const outcomes = await Promise.allSettled(attempts);
  const refused = outcomes.filter(({ status }) => status === "rejected");
  t.ok(refused.length > 150 && refused.length < 300, `${refused.length} refused`);
  t.match(refused[0], { reason: { errcode: "M_LIMIT_EXCEEDED", details: { retry_after_ms: Number } } });
  t.type(await hasher.hash("afterwards"), "string");
});
