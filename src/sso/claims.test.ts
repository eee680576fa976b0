import t from "tap";
import { fillTemplate, isTemplate, meetsAll } from "./claims.ts";

const claims = {
  sub: "248289761001",
  name: "Ada Lovelace",
  email: "Ada@Example.org",
  "urn:x.y": "dotted",
  empty: "",
  age: 36,
  address: { city: "London" },
  groups: ["staff", "maths"],
};

t.test("templates are filled with claims", async (t) => {
  t.equal(fillTemplate("{sub}", claims), "248289761001");
  t.equal(fillTemplate("{name} ({address.city}, {age})", claims), "Ada Lovelace (London, 36)");
  t.equal(fillTemplate("{email|localpart}", claims), "Ada");
  t.equal(fillTemplate("{email|lowercase}", claims), "ada@example.org");
  t.equal(fillTemplate("{urn:x.y}", claims), "dotted");
  for (const missing of [
    "{nobody}",
    "{empty}",
    "{address}",
    "{groups}",
    "{__proto__}",
    "{address.__proto__.a}",
    "",
  ]) {
    t.equal(fillTemplate(missing, claims), undefined, missing);
  }
  t.ok(isTemplate("{a} {b|localpart}"));
  t.notOk(isTemplate("{a|shout}"));
  t.notOk(isTemplate("{a|toString}"));
});

t.test("requirements hold or do not", async (t) => {
  const meets = (claim: string, ...values: string[]) => meetsAll(claims, [{ claim, values }]);
  t.equal(meets("groups", "staff"), true);
  t.equal(meets("groups", "admins", "maths"), true);
  t.equal(meets("groups", "sta"), false);
  t.equal(meets("age", "36"), true);
  t.equal(meets("address.city", "London"), true);
  t.equal(meets("name"), true);
  t.equal(meets("nobody"), false);
  t.equal(meets("constructor"), false);
  t.equal(meetsAll(claims, []), true);
  t.equal(
    meetsAll(claims, [
      { claim: "name", values: [] },
      { claim: "sub", values: ["1"] },
    ]),
    false,
  );
});
