import type { Test } from "tap";
import type { UserId } from "../../protocol/identifiers.ts";
import type { Database } from "../database.ts";
import { newAccount } from "./accounts.ts";

/** What every back end's store of registration tokens does. */
export function registrationTokenStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("registration tokens: made, listed, changed and removed", async (t) => {
    await using database = await open();
    const { registrationTokens } = database.stores;
    const endless = { token: "b", usesAllowed: null, uses: 0, expiresTs: null, createdTs: 1 };
    const limited = { token: "a", usesAllowed: 3, uses: 0, expiresTs: 9_000, createdTs: 2 };
    t.equal(await registrationTokens.create(endless, 3), "created");
    t.equal(await registrationTokens.create(limited, 3), "created");
    t.equal(await registrationTokens.create({ ...limited, usesAllowed: 7 }, 3), "exists");
    t.equal(await registrationTokens.create({ ...limited, token: "c" }, 2), "too-many");
    t.strictSame(await registrationTokens.list(), [limited, endless]);
    t.equal(await registrationTokens.update("a", null, 10_000), true);
    t.equal(await registrationTokens.update("c", null, null), false);
    t.strictSame(await registrationTokens.find("a"), { ...limited, usesAllowed: null, expiresTs: 10_000 });
    t.equal(await registrationTokens.remove("a"), true);
    t.equal(await registrationTokens.remove("a"), false);
    t.equal(await registrationTokens.find("a"), undefined);
  });

  t.test("registration tokens: one that has expired makes no account", async (t) => {
    await using database = await open();
    const { accounts, registrationTokens } = database.stores;
    await registrationTokens.create(
      {
        token: "a",
        usesAllowed: null,
        uses: 0,
        expiresTs: 9_000,
        createdTs: 2,
      },
      10,
    );
    const register = async (name: string, createdTs: number) => {
      const account = newAccount(`@${name}:hearth.test` as UserId, { createdTs });
      return (await accounts.create(account, { registrationToken: "a" })).created;
    };
    t.equal(await register("early", 8_999), true);
    t.equal(await register("late", 9_000), false);
    t.equal((await registrationTokens.find("a"))?.uses, 1);
  });
}
