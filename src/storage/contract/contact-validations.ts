import type { Test } from "tap";
import type { NewValidation } from "../contact-validations.ts";
import type { Database } from "../database.ts";
import type { NewDelivery } from "../deliveries.ts";

const contact = { medium: "email", address: "alice@example.org" } as const;

function newSession(sid: string, changes: Partial<NewValidation> = {}): NewValidation {
  return {
    ...contact,
    sid,
    purpose: "add",
    isVoid: false,
    secretHash: Buffer.alloc(32, 1),
    sendAttempt: 1,
    nextLink: null,
    expiresTs: 10_000,
    ...changes,
  };
}

function newMessage(changes: Partial<NewDelivery> = {}): NewDelivery {
  return {
    ...contact,
    kind: "confirm-address",
    language: "en",
    values: { a: "b" },
    expiresTs: 10_000,
    ...changes,
  };
}

/** What every back end's stores of validation sessions and of deliveries do. */
export function contactValidationStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("contact validations: a repeated request goes on, and sends when it asks for more", async (t) => {
    await using database = await open();
    const { contactValidations: store, deliveries } = database.stores;
    t.equal(await store.begin(newSession("one"), newMessage(), 1_000), "one");
    t.equal(await store.begin(newSession("two"), newMessage(), 1_000), "one");
    t.strictSame(await deliveries.due(1_000, 10), [
      { ...newMessage(), values: { a: "b", sid: "one" }, deliveryNid: 1, attempts: 0 },
    ]);
    const again = newSession("three", { sendAttempt: 2, nextLink: "https://example.org/" });
    t.equal(await store.begin(again, newMessage(), 1_000), "one");
    t.equal((await deliveries.due(1_000, 10)).length, 2);
    t.match(await store.find("one", 1_000), { sendAttempt: 2, nextLink: "https://example.org/" });
    for (const changes of [
      { purpose: "password" as const },
      { address: "bob@example.org" },
      { secretHash: Buffer.alloc(32, 2) },
    ]) {
      const sid = JSON.stringify(changes);
      t.equal(await store.begin(newSession(sid, changes), newMessage(), 1_000), sid);
    }
  });

  t.test("contact validations: failures, success, and an end", async (t) => {
    await using database = await open();
    const { contactValidations: store } = database.stores;
    await store.begin(newSession("one"), newMessage(), 1_000);
    for (let n = 0; n < 4; n++) t.equal(await store.tokenCame("one", false, 1_500), "wrong");
    t.match(await store.find("one", 1_000), { failures: 4, validatedTs: null, purpose: "add" });
    t.equal(await store.tokenCame("one", true, 2_000), "validated");
    t.equal(await store.tokenCame("one", true, 3_000), "validated");
    t.match(await store.find("one", 1_000), { validatedTs: 2_000 });
    t.equal(await store.tokenCame("two", true, 3_000), "ended");
    t.equal(await store.take("one"), true);
    t.equal(await store.take("one"), false);
    t.equal(await store.find("one", 1_000), undefined);
  });

  t.test("contact validations: after five wrong tokens the right one is too late", async (t) => {
    await using database = await open();
    const { contactValidations: store } = database.stores;
    await store.begin(newSession("one"), newMessage(), 1_000);
    const guesses = Array.from({ length: 20 }, () => store.tokenCame("one", false, 1_000));
    const outcomes = await Promise.all(guesses);
    t.equal(outcomes.filter((outcome) => outcome === "wrong").length, 5);
    t.equal(await store.tokenCame("one", true, 1_000), "ended");
    t.match(await store.find("one", 1_000), { validatedTs: null });
  });

  t.test("contact validations: a void one goes on like any other, but no token is right", async (t) => {
    await using database = await open();
    const { contactValidations: store } = database.stores;
    t.equal(await store.begin(newSession("one", { isVoid: true }), newMessage(), 1_000), "one");
    t.equal(await store.begin(newSession("two", { isVoid: true }), newMessage(), 1_000), "one");
    t.equal(await store.tokenCame("one", true, 1_000), "wrong");
    // The address has become free: the same session, so that nobody is told.
    t.equal(await store.begin(newSession("two", { sendAttempt: 2 }), newMessage(), 1_000), "one");
    t.equal(await store.tokenCame("one", true, 1_000), "validated");
  });

  t.test("contact validations: expired ones are gone", async (t) => {
    await using database = await open();
    const { contactValidations: store } = database.stores;
    await store.begin(newSession("one"), newMessage(), 1_000);
    t.ok(await store.find("one", 9_999));
    t.equal(await store.find("one", 10_000), undefined);
    const next = newSession("two", { expiresTs: 20_000 });
    t.equal(await store.begin(next, newMessage(), 10_000), "two", "the same request makes a new one");
    t.equal(await store.take("one"), false);
  });

  t.test("deliveries: due, put off, and done; the expired ones go", async (t) => {
    await using database = await open();
    const { deliveries } = database.stores;
    t.equal(await deliveries.nextDueTs(), undefined);
    await deliveries.add(newMessage({ kind: "already-registered" }), 1_000);
    await deliveries.add(newMessage({ expiresTs: 5_000 }), 1_500);
    t.equal(await deliveries.nextDueTs(), 1_000);
    t.strictSame(await deliveries.due(999, 10), []);
    const [first] = await deliveries.due(1_000, 10);
    t.match(first, { kind: "already-registered", attempts: 0 });
    const nid = first?.deliveryNid ?? 0;
    await deliveries.postpone(nid, 7_000);
    t.equal((await deliveries.due(1_500, 10)).length, 1);
    t.strictSame(await deliveries.due(5_000, 10), []);
    t.equal(await deliveries.nextDueTs(), 7_000);
    t.match(await deliveries.due(7_000, 10), [{ attempts: 1 }]);
    await deliveries.remove(nid);
    t.equal(await deliveries.nextDueTs(), undefined);
  });

  t.test("deliveries: a bounded number waits, and a session that cannot send does not begin", async (t) => {
    await using database = await open();
    const { contactValidations: store, deliveries } = database.stores;
    await Promise.all(Array.from({ length: 10_000 }, () => deliveries.add(newMessage(), 1_000)));
    t.equal(await deliveries.add(newMessage(), 1_000), false);
    t.equal(await store.begin(newSession("one"), newMessage(), 1_000), undefined);
    t.equal(await store.find("one", 1_000), undefined);
    t.equal((await deliveries.due(1_000, 5)).length, 5);
  });
}
