import type { Test } from "tap";
import type { Database } from "../database.ts";

/** What every back end's push rule store does. */
export function pushRuleStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("push rules: only who saw the last change can make the next", async (t) => {
    await using database = await open();
    const { pushRules } = database.stores;
    t.equal(await pushRules.find(1), undefined);
    t.equal(await pushRules.replace(1, 7, "{}"), false, "there is nothing yet");
    t.equal(await pushRules.replace(1, null, '{"n":1}'), true);
    const first = await pushRules.find(1);
    t.match(first, { rules: '{"n":1}', position: Number });
    t.equal(await pushRules.replace(1, null, '{"n":2}'), false);
    t.equal(await pushRules.replace(1, first?.position ?? 0, '{"n":2}'), true);
    const second = await pushRules.find(1);
    t.equal(second?.rules, '{"n":2}');
    t.ok((second?.position ?? 0) > (first?.position ?? 0));
    t.equal(await pushRules.find(2), undefined);
  });
}
