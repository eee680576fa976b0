import t from "tap";
import type { UserId } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { Account, AccountStore } from "../storage/accounts.ts";
import { systemClock } from "../telemetry/clock.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { PasswordCheck } from "./password-check.ts";
import { PasswordHasher } from "./password-hasher.ts";

const hasher = new PasswordHasher({ memoryKib: 8, passes: 1 }, systemClock);

async function setUp(limited: boolean) {
  const clock = new ManualClock();
  const stored: string[] = [];
  const accounts = {
    async renewPasswordHash(_userNid: number, _before: string, passwordHash: string) {
      stored.push(passwordHash);
    },
  } as Partial<AccountStore> as AccountStore;
  const account = {
    userNid: 1,
    userId: "@alice:hearth.test" as UserId,
    passwordHash: await hasher.hash("right"),
  } as Account;
  const passwords = new PasswordCheck(accounts, hasher, clock, limited);
  const attempt = (password: string, address = "192.0.2.1") =>
    passwords.check(account, "alice", password, address);
  return { clock, stored, account, passwords, attempt, accounts };
}

/** How an attempt ends: its answer, or the errcode of its refusal. */
async function ending(attempt: Promise<boolean>): Promise<boolean | string> {
  try {
    return await attempt;
  } catch (error) {
    return error instanceof MatrixError ? error.errcode : String(error);
  }
}

t.test("who guesses is slowed down at the account, the owner elsewhere is not", async (t) => {
  const { attempt, clock } = await setUp(true);
  for (let count = 0; count < 10; count++) t.equal(await attempt("wrong"), false);
  t.equal(await ending(attempt("right")), "M_LIMIT_EXCEEDED", "no oracle for the guesser");
  t.equal(await attempt("right", "192.0.2.2"), true);
  clock.advance(30_000);
  t.equal(await attempt("wrong"), false);
  t.equal(await ending(attempt("wrong")), "M_LIMIT_EXCEEDED");
  clock.advance(30_000);
  t.equal(await attempt("right"), true);
});

t.test("guesses made at the same time count as much as those made one after the other", async (t) => {
  const { attempt } = await setUp(true);
  const endings = await Promise.all(Array.from({ length: 40 }, () => ending(attempt("wrong"))));
  t.equal(endings.filter((each) => each === false).length, 10);
  t.equal(endings.filter((each) => each === "M_LIMIT_EXCEEDED").length, 30);
  t.equal(await attempt("right", "192.0.2.2"), true);
});

t.test("an address that tries many names is slowed down for all", async (t) => {
  const { passwords, attempt } = await setUp(true);
  for (let count = 0; count < 100; count++)
    await passwords.check(undefined, `user${count}`, "x", "192.0.2.1");
  t.equal(await ending(attempt("right")), "M_LIMIT_EXCEEDED");
  t.equal(await attempt("right", "192.0.2.2"), true);
});

t.test("right passwords cost nothing, and no limit is none", async (t) => {
  const limited = await setUp(true);
  for (let count = 0; count < 30; count++) t.equal(await limited.attempt("right"), true);
  const unlimited = await setUp(false);
  for (let count = 0; count < 30; count++) t.equal(await unlimited.attempt("wrong"), false);
});

t.test("a hash of another cost is made anew once the password is known", async (t) => {
  const { account, accounts, stored, clock } = await setUp(true);
  const dearer = new PasswordHasher({ memoryKib: 16, passes: 1 }, systemClock);
  const passwords = new PasswordCheck(accounts, dearer, clock, true);
  t.equal(await passwords.check(account, "alice", "wrong", "192.0.2.1"), false);
  t.equal(stored.length, 0);
  t.equal(await passwords.check(account, "alice", "right", "192.0.2.1"), true);
  t.equal(stored.length, 1);
  t.equal(await dearer.isOutdated(stored[0] ?? ""), false);
  t.equal(await dearer.verify(stored[0] ?? "", "right"), true);
});
