import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { ConfigError } from "../config/config-error.ts";
import type { ServerName, UserId } from "../protocol/identifiers.ts";
import { loadAppservices } from "./registration-file.ts";

const serverName = "hearth.test" as ServerName;

/** The specification's example. */
const example = `id: "IRC Bridge"
url: "http://127.0.0.1:1234"
as_token: "30c05ae90a248a4188e620216fa72e349803310ec83e2a77b34fe90be6081f46"
hs_token: "312df522183efd404ec1cd22d2ffa4bbc76a8c1ccf541dd692eef281356bb74e"
sender_localpart: "_irc_bot" # Will result in @_irc_bot:example.org
namespaces:
  users:
    - exclusive: true
      regex: "@_irc_bridge_.*"
  aliases:
    - exclusive: false
      regex: "#_irc_bridge_.*"
  rooms: []
`;

function problemsOf(paths: readonly string[]): readonly string[] {
  try {
    loadAppservices(paths, serverName);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

t.test("the specification's example", async (t) => {
  const file = join(t.testdir({ "irc.yaml": example }), "irc.yaml");
  const [appservice, ...others] = loadAppservices([file], serverName);
  t.equal(others.length, 0);
  if (!appservice) throw new Error("the registration was not read");
  t.match(appservice.registration, {
    id: "IRC Bridge",
    url: "http://127.0.0.1:1234",
    isRateLimited: true,
    protocols: [],
    ephemeralKeys: [],
    wantsDeviceLists: false,
  });
  t.equal(appservice.senderId, "@_irc_bot:hearth.test");
  t.ok(appservice.isExclusiveUser("@_irc_bridge_bob:hearth.test" as UserId));
  t.ok(appservice.isExclusiveUser(appservice.senderId), "its own user is its own");
  t.notOk(appservice.coversUser("@_irc_bridge_bob:elsewhere.test" as UserId), "users of this server only");
  t.notOk(appservice.coversUser("@bob:hearth.test" as UserId));
  t.ok(appservice.coversAlias("#_irc_bridge_chan:hearth.test"));
  t.notOk(appservice.isExclusiveAlias("#_irc_bridge_chan:hearth.test"));
  t.notOk(appservice.coversRoom("!room:hearth.test"));
});

t.test("folders, traffic that is not wanted, and keys of bridges' own", async (t) => {
  const folder = t.testdir();
  mkdirSync(join(folder, "bridges"));
  const another = example
    .replace("IRC Bridge", "other")
    .replace("30c0", "30c1")
    .replace('"http://127.0.0.1:1234"', "null")
    .concat("receive_ephemeral: true\nde.sorunome.msc2409.push_ephemeral: true\norg.matrix.msc3202: true\n")
    .concat("rate_limited: false\nprotocols: [irc, xmpp]\nio.element.msc4190: true\n");
  writeFileSync(join(folder, "bridges/b.yaml"), another);
  writeFileSync(join(folder, "bridges/a.yml"), example);
  writeFileSync(join(folder, "bridges/notes.txt"), "not: [read");
  const [first, second, ...others] = loadAppservices([join(folder, "bridges")], serverName);
  t.equal(others.length, 0);
  t.equal(first?.id, "IRC Bridge", "in the order of the files' names");
  t.match(second?.registration, {
    id: "other",
    url: null,
    isRateLimited: false,
    protocols: ["irc", "xmpp"],
    ephemeralKeys: ["ephemeral", "de.sorunome.msc2409.ephemeral"],
    wantsDeviceLists: true,
  });
});

t.test("everything that is wrong is named with file and line", async (t) => {
  const folder = t.testdir({
    "bad.yaml": `id: 5
url: ftp://bridge
as_token: "with blank"
sender_localpart: "a:b"
rate_limited: sometimes
protocols: irc
namespaces:
  users:
    - exclusive: true
      regex: "@_irc_(.*"
    - regex: "@b"
    - 7
  aliases: everything
`,
    "list.yaml": "- a\n",
    "broken.yaml": "id: [\n",
  });
  const bad = join(folder, "bad.yaml");
  const problems = problemsOf([bad]);
  for (const expected of [
    `${bad}:1: id has to be`,
    `${bad}:2: url has to be`,
    `${bad}:3: as_token has to be`,
    `${bad}: hs_token has to be`,
    `${bad}:4: sender_localpart has to be`,
    `${bad}:5: rate_limited has to be true or false`,
    `${bad}:6: protocols has to be a list`,
    `${bad}:10: namespaces.users.0.regex is no regular expression that can be used: it has a parenthesis that is not closed (at character 9)`,
    `${bad}:11: namespaces.users.1.exclusive has to be true or false`,
    `${bad}:12: namespaces.users.2 has to be`,
    `${bad}:13: namespaces.aliases has to be a list`,
  ]) {
    t.ok(
      problems.some((problem) => problem.startsWith(expected)),
      `${expected} in ${problems.join("\n")}`,
    );
  }
  t.notOk(
    problems.some((problem) => problem.includes("with blank")),
    "secrets are not shown",
  );
  t.match(problemsOf([join(folder, "list.yaml")])[0], /a registration has to be a group of keys/);
  t.match(problemsOf([join(folder, "broken.yaml")])[0], /broken\.yaml:\d: this is not valid YAML/);
});

t.test("two registrations do not share their ID or token", async (t) => {
  const folder = t.testdir({
    "a.yaml": example,
    "b.yaml": example.replace("IRC Bridge", "another"),
    "c.yaml": example.replace("30c0", "30c1"),
  });
  const problems = problemsOf([folder]);
  const [a, b, c] = ["a", "b", "c"].map((name) => join(folder, `${name}.yaml`));
  t.strictSame(problems, [`${c}:1: id is that of ${a} already`, `${b}:3: as_token is that of ${a} already`]);
});
