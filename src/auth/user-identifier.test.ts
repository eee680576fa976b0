import t from "tap";
import type { ServerName } from "../protocol/identifiers.ts";
import { namedContact, namedUser, userIdsNamed } from "./user-identifier.ts";

const serverName = "hearth.test" as ServerName;

t.test("a user is named by identifier, or by the deprecated user", async (t) => {
  t.equal(namedUser({ identifier: { type: "m.id.user", user: "alice" } }), "alice");
  t.equal(namedUser({ user: "@alice:hearth.test" }), "@alice:hearth.test");
  t.equal(namedUser({ identifier: { type: "m.id.user", user: "alice" }, user: "bob" }), "alice");
  t.equal(namedUser({}), undefined);
  t.equal(namedUser({ identifier: { type: "m.id.user" } }), undefined);
});

t.test("what cannot be understood is refused", async (t) => {
  for (const type of ["m.id.thirdparty", "m.id.phone"]) {
    t.throws(() => namedContact({ identifier: { type } }), { message: /e-mail address|phone number/ });
  }
  t.throws(() => namedUser({ identifier: { type: "m.id.other" } }), { message: /m\.id\.user/ });
  t.throws(() => namedUser({ identifier: "alice" }), { message: /object/ });
  t.throws(() => namedUser({ identifier: { type: "m.id.user", user: 5 } }), { message: /string/ });
  t.throws(() => namedUser({ user: 5 }), { message: /string/ });
});

t.test("a user is named by an address, in any way of writing it", async (t) => {
  const email = { medium: "email", address: "alice@example.org" };
  const phone = { medium: "msisdn", address: "447700900123" };
  const thirdParty = (contact: object) =>
    namedContact({ identifier: { type: "m.id.thirdparty", ...contact } });
  t.strictSame(thirdParty({ ...email, address: "Alice@Example.org" }), email);
  t.strictSame(thirdParty(phone), phone);
  for (const key of ["phone", "number"]) {
    const identifier = { type: "m.id.phone", country: "GB", [key]: "07700 900123" };
    t.strictSame(namedContact({ identifier }), phone);
  }
  t.strictSame(namedContact(email), email);
  t.equal(namedContact({ ...email, user: "alice" }), undefined);
  t.equal(namedContact({ ...email, identifier: { type: "m.id.user", user: "alice" } }), undefined);
  t.equal(namedContact({}), undefined);
  for (const wrong of [
    { ...email, address: "alice" },
    { ...phone, address: "+44" },
    { medium: "fax", address: "1" },
  ]) {
    t.throws(() => thirdParty(wrong), { message: /e-mail address|phone number/ });
    t.throws(() => namedContact(wrong), { message: /e-mail address|phone number/ });
  }
});

t.test("localparts and user IDs of this server, in lower case as well", async (t) => {
  t.strictSame(userIdsNamed("alice", serverName), ["@alice:hearth.test"]);
  t.strictSame(userIdsNamed("@alice:hearth.test", serverName), ["@alice:hearth.test"]);
  t.strictSame(userIdsNamed("Alice", serverName), ["@Alice:hearth.test", "@alice:hearth.test"]);
  t.strictSame(userIdsNamed("@alice:elsewhere.test", serverName), []);
  t.strictSame(userIdsNamed("x".repeat(300), serverName), []);
});
