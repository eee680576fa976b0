import t from "tap";
import type { ServerName } from "../protocol/identifiers.ts";
import { namedUser, userIdsNamed } from "./user-identifier.ts";

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
    t.throws(() => namedUser({ identifier: { type } }), { message: /email address or phone number/ });
  }
  t.throws(() => namedUser({ identifier: { type: "m.id.other" } }), { message: /m\.id\.user/ });
  t.throws(() => namedUser({ identifier: "alice" }), { message: /object/ });
  t.throws(() => namedUser({ identifier: { type: "m.id.user", user: 5 } }), { message: /string/ });
  t.throws(() => namedUser({ user: 5 }), { message: /string/ });
});

t.test("localparts and user IDs of this server, in lower case as well", async (t) => {
  t.strictSame(userIdsNamed("alice", serverName), ["@alice:hearth.test"]);
  t.strictSame(userIdsNamed("@alice:hearth.test", serverName), ["@alice:hearth.test"]);
  t.strictSame(userIdsNamed("Alice", serverName), ["@Alice:hearth.test", "@alice:hearth.test"]);
  t.strictSame(userIdsNamed("@alice:elsewhere.test", serverName), []);
  t.strictSame(userIdsNamed("x".repeat(300), serverName), []);
});
