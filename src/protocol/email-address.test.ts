import t from "tap";
import { emailDomain, parseEmailAddress } from "./email-address.ts";

t.test("addresses in their canonical form", async (t) => {
  const cases: [string, string][] = [
    ["bob@example.com", "bob@example.com"],
    ["Bob.Smith+chat@Example.COM", "bob.smith+chat@example.com"],
    ["Strauß@Example.com", "strauss@example.com"],
    ["ΣΊΣΥΦΟΣ@example.gr", "σίσυφοσ@example.gr"],
    ["ﬁle@example.org", "file@example.org"],
    ["josé@exämple.org", "josé@exämple.org"],
    ["root@localhost", "root@localhost"],
    ["李@例子.测试", "李@例子.测试"],
  ];
  for (const [given, canonical] of cases) t.equal(parseEmailAddress(given), canonical, given);
});

t.test("letters that only look alike stay apart", async (t) => {
  t.equal(parseEmailAddress("mıke@example.org"), "mıke@example.org");
  t.not(parseEmailAddress("mıke@example.org"), parseEmailAddress("mike@example.org"));
});

t.test("what is no address", async (t) => {
  const none = [
    "",
    "@",
    "bob",
    "bob@",
    "@example.org",
    "Bob <bob@example.org>",
    "mailto:bob@example.org",
    "bob@exa mple.org",
    "bob@example.org\r\nBcc: eve@example.org",
    "bob@example..org",
    "bob@-example.org",
    ".bob@example.org",
    "bob@eve@example.org",
    "bob,eve@example.org",
    "bob@[127.0.0.1]",
    "bo\u202eb@example.org",
    "bob\ud800@example.org",
    `${"x".repeat(65)}@example.org`,
    `bob@${"x.".repeat(130)}org`,
  ];
  for (const text of none) t.equal(parseEmailAddress(text), undefined, JSON.stringify(text));
});

t.test("the domain of an address", async (t) => {
  t.equal(emailDomain("bob@example.org"), "example.org");
});
