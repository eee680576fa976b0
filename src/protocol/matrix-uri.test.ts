import t from "tap";
import * as fc from "fast-check";
import type { EventId, RoomAlias, RoomId, ServerName, UserId } from "./identifiers.ts";
import { formatMatrixToLink, formatMatrixUri, parseMatrixToLink, parseMatrixUri } from "./matrix-uri.ts";
import type { MatrixLink } from "./matrix-uri.ts";
import { specVectors } from "./testing/spec-vectors.ts";

const via = ["elsewhere.ca" as ServerName];
const alias = "#somewhere:example.org" as RoomAlias;
const room = "!somewhere:example.org" as RoomId;
const alice = "@alice:example.org" as UserId;

t.test("the `matrix:` URIs of the specification", async (t) => {
  const examples: [uri: string, link: MatrixLink][] = [
    ["matrix:r/somewhere:example.org", { id: alias, via: [] }],
    ["matrix:roomid/somewhere:example.org?via=elsewhere.ca", { id: room, via }],
    [
      "matrix:roomid/somewhere:example.org/e/event?via=elsewhere.ca",
      { id: room, eventId: "$event" as EventId, via },
    ],
    ["matrix:u/alice:example.org?action=chat", { id: alice, via: [], action: "chat" }],
  ];
  for (const [uri, link] of examples) {
    t.equal(formatMatrixUri(link), uri);
    t.same(parseMatrixUri(uri), { eventId: undefined, action: undefined, ...link });
  }
});

const vectors = specVectors<{ matrix_to: { cases: [string, string | null, string][] } }>("identifiers");

t.test("the specification's matrix.to links", { skip: vectors.skip }, async (t) => {
  for (const [id, eventId, uri] of vectors.read().matrix_to.cases) {
    const link = parseMatrixToLink(uri);
    t.match(link, { id, eventId: eventId ?? undefined, via: uri.includes("?") ? via : [] }, uri);
    if (link !== undefined) t.same(parseMatrixToLink(formatMatrixToLink(link)), link);
  }
});

t.test("variants that are to be understood", async (t) => {
  t.equal(parseMatrixUri("matrix:room/somewhere:example.org")?.id, alias);
  t.equal(parseMatrixUri("MATRIX:user/alice:example.org")?.id, alice);
  t.equal(parseMatrixUri("matrix://authority/u/alice:example.org?x=y#fragment")?.id, alice);
  t.equal(parseMatrixUri("matrix:roomid/somewhere:example.org/event/a%2Fb")?.eventId, "$a/b");
  t.equal(parseMatrixToLink("https://matrix.to/#/#somewhere:example.org")?.id, alias);
  t.equal(parseMatrixToLink("https://matrix.to/#/!somewhere:example.org/$a/b")?.eventId, "$a/b");
  t.equal(
    parseMatrixUri("matrix:r/somewhere:example.org?action=chat")?.action,
    undefined,
    "chat is for users",
  );
  t.equal(parseMatrixUri("matrix:r/somewhere:example.org?action=join")?.action, "join");
  t.same(parseMatrixUri("matrix:r/somewhere:example.org?via=a&via=b/c&via=[::1]")?.via, ["a", "[::1]"]);
});

t.test("what is no Matrix URI", async (t) => {
  const uris = [
    "",
    "matrix:",
    "matrix:u",
    "matrix:u/",
    "matrix:x/alice:example.org",
    "matrix:constructor/alice:example.org",
    "matrix:u/alice",
    "matrix:u/alice:example.org/e/event",
    "matrix:roomid/somewhere:example.org/x/event",
    "matrix:roomid/somewhere:example.org/e",
    "matrix:roomid/somewhere:example.org/e/a/b",
    "matrix:u/%zz:example.org",
    "https://example.org/",
  ];
  for (const uri of uris) t.equal(parseMatrixUri(uri), undefined, uri);
  for (const rest of [
    "",
    "alice",
    "@alice",
    "%zz",
    "@alice:example.org/$event",
    "!somewhere:example.org/event",
    "!a:b/%zz",
  ]) {
    t.equal(parseMatrixToLink(`https://matrix.to/#/${rest}`), undefined, rest);
  }
  t.equal(parseMatrixToLink("http://matrix.to/#/@alice:example.org"), undefined);
});

t.test("what is written is read back", async (t) => {
  const odd = fc.string({
    unit: fc.constantFrom("a", "/", "?", "#", "%", "&", "=", "+", " ", "é", "😀", "$", "@"),
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(odd, odd, (local, event) => {
      const links: MatrixLink[] = [
        { id: `#${local}:example.org` as RoomAlias, eventId: `$${event}` as EventId, via, action: undefined },
        { id: `@${local}:[::1]:8448` as UserId, eventId: undefined, via: [], action: undefined },
      ];
      for (const link of links) {
        t.same(parseMatrixUri(formatMatrixUri(link)), link);
        t.same(parseMatrixToLink(formatMatrixToLink(link)), link);
      }
    }),
  );
});
