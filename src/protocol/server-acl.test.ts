import t from "tap";
import type { ServerName } from "./identifiers.ts";
import type { JsonObject } from "./json.ts";
import { ServerAcl } from "./server-acl.ts";

function admitted(content: JsonObject, ...names: string[]): string[] {
  const acl = new ServerAcl(content);
  return names.filter((name) => acl.admits(name as ServerName));
}

t.test("who matches the deny list is out, who matches no list too", async (t) => {
  const acl = {
    allow: ["*.example.org", "example.com"],
    deny: ["bad.example.org", "*.bad.example.org", "e?il.*"],
  };
  const names = [
    "a.example.org",
    "example.org",
    "example.com",
    "bad.example.org",
    "x.bad.example.org",
    "evil.example.org",
  ];
  t.strictSame(admitted(acl, ...names), ["a.example.org", "example.com"]);
  t.strictSame(admitted({ allow: ["*"], deny: ["*"] }, "example.org"), []);
  t.strictSame(admitted({ deny: [] }, "example.org"), [], "without a list nobody is allowed");
});

t.test(
  "neither the port nor the case of letters counts, and a pattern is held to the whole name",
  async (t) => {
    const acl = { allow: ["*"], deny: ["BAD.example.org"] };
    const names = [
      "bad.example.org:8448",
      "Bad.Example.ORG",
      "bad.example.org.uk",
      "notbad.example.org",
      "bad-example.org",
    ];
    t.strictSame(admitted(acl, ...names), ["bad.example.org.uk", "notbad.example.org", "bad-example.org"]);
    t.strictSame(admitted({ allow: ["example.org:8448"] }, "example.org:8448"), []);
  },
);

t.test("IP addresses can be kept out, with a port or without", async (t) => {
  const addresses = ["127.0.0.1", "127.0.0.1:8448", "[::1]", "[2001:db8::1]:8448"];
  const names = [...addresses, "example.org", "1.2.3.4.example.org"];
  t.strictSame(admitted({ allow: ["*"], allow_ip_literals: false }, ...names), [
    "example.org",
    "1.2.3.4.example.org",
  ]);
  t.strictSame(admitted({ allow: ["*"], allow_ip_literals: true }, ...addresses), addresses);
  t.strictSame(
    admitted({ allow: ["*"], allow_ip_literals: "no" }, ...addresses),
    addresses,
    "what is no boolean counts not",
  );
  t.strictSame(admitted({ allow: ["*"], deny: ["[::1]", "2001:db8:*", "127.*"] }, ...addresses), []);
});

t.test("lists of the wrong form hold nothing", async (t) => {
  t.strictSame(admitted({ allow: "*" }, "example.org"), []);
  t.strictSame(admitted({ allow: [1, null, ["*"], "example.org"], deny: "*" }, "example.org", "a.org"), [
    "example.org",
  ]);
});
