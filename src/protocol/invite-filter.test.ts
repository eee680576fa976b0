import t from "tap";
import { InviteFilter } from "./invite-filter.ts";
import type { JsonObject } from "./json.ts";

const good = "@john:goodguys.org";
const bad = "@eve:badguys.org";

function verdicts(content: JsonObject, ...userIds: string[]): string[] {
  const filter = new InviteFilter(content);
  return userIds.map((userId) => filter.verdict(userId));
}

t.test("nothing but what is listed is kept away", (t) => {
  t.same(verdicts({}, good, bad), ["allow", "allow"]);
  t.same(verdicts({ blocked_servers: ["*"] }, good, bad), ["block", "block"]);
  t.same(verdicts({ blocked_servers: ["badguys.org"] }, good, bad), ["allow", "block"]);
  t.same(verdicts({ ignored_users: ["@e*:badguys.org"] }, bad, "@mallory:badguys.org"), ["ignore", "allow"]);
  t.same(verdicts({ allowed_servers: ["goodguys.org"], blocked_servers: ["*"] }, good, bad), [
    "allow",
    "block",
  ]);
  t.end();
});

t.test("users come before servers, and allow before ignore before block", (t) => {
  const everything = ["*"];
  const order = [
    ["allowed_users", "allow"],
    ["ignored_users", "ignore"],
    ["blocked_users", "block"],
    ["allowed_servers", "allow"],
    ["ignored_servers", "ignore"],
    ["blocked_servers", "block"],
  ] as const;
  for (const [index, [first, verdict]] of order.entries()) {
    const content = Object.fromEntries(order.slice(index).map(([key]) => [key, everything]));
    t.same(verdicts(content, good), [verdict], `${first} decides where it is the first`);
  }
  t.end();
});

t.test("users are matched by their whole IDs, servers by their names without ports", (t) => {
  t.same(verdicts({ blocked_users: ["badguys.org", "@eve", "eve:*"] }, bad), ["allow"]);
  t.same(verdicts({ blocked_users: ["@eve:badguys.org"] }, "@eve:badguys.org:8448"), ["allow"]);
  const servers = { blocked_servers: ["badguys.org", "10.0.0.?", "::1"] };
  t.same(verdicts(servers, "@eve:badguys.org:8448", "@eve:10.0.0.7:1", "@eve:[::1]:1", "@eve:BadGuys.org"), [
    "block",
    "block",
    "block",
    "block",
  ]);
  t.same(verdicts(servers, "@eve:sub.badguys.org", "@eve:10.0.0.70", "@badguys.org:x"), [
    "allow",
    "allow",
    "allow",
  ]);
  t.same(verdicts({ blocked_servers: ["badguys.org:8448"] }, "@eve:badguys.org:8448"), ["allow"]);
  t.end();
});

t.test("it can be switched off, by false and nothing else", (t) => {
  for (const enabled of [false, true, 0, null, "false"]) {
    const expected = enabled === false ? "allow" : "block";
    t.same(verdicts({ enabled, blocked_servers: ["*"] }, good), [expected], JSON.stringify(enabled));
  }
  t.end();
});

t.test("a list that is none of strings makes all of it invalid, other keys do not", (t) => {
  for (const wrong of ["*", 1, true, null, {}, [1], ["*", null], [["*"]]]) {
    const content = { blocked_servers: ["*"], allowed_users: wrong };
    t.same(verdicts(content, good), ["allow"], JSON.stringify(wrong));
  }
  t.same(verdicts({ blocked_servers: ["*"], default_action: "allow", more: {} }, good), ["block"]);
  t.end();
});

t.test("names by the thousand are heeded, patterns with wildcards up to a bound", (t) => {
  const names = Array.from({ length: 20_000 }, (_, index) => `server${index}.org`);
  t.same(verdicts({ blocked_servers: names }, "@eve:server19999.org", good), ["block", "allow"]);
  const globs = Array.from({ length: 501 }, (_, index) => `*.server${index}.org`);
  t.same(verdicts({ blocked_servers: globs }, "@a:b.server499.org", "@a:b.server500.org"), [
    "block",
    "allow",
  ]);
  t.end();
});
