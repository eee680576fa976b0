import t from "tap";
import * as fc from "fast-check";
import * as ids from "./identifiers.ts";
import { isServerName, parseServerName } from "./server-name.ts";
import { specVectors } from "./testing/spec-vectors.ts";

interface Grammar {
  valid: string[];
  invalid: { value: string; why: string }[];
}
interface Vectors {
  server_name: Grammar;
  user_id: Grammar & {
    historical: { must_accept_in_events: string[]; must_not_accept: string[]; non_compliant: string[] };
  };
  room_id: Grammar;
  room_alias: Grammar;
  event_id: Grammar;
  common_namespaced_identifier: Grammar;
  opaque_identifier: Grammar;
  localpart_mapping: { cases: { input: string; mapped: string; case_distinguishing?: boolean }[] };
}
const vectors = specVectors<Vectors>("identifiers");

t.test("the specification's vectors", { skip: vectors.skip }, async (t) => {
  const data = vectors.read();
  const grammars: [Grammar, (text: string) => boolean][] = [
    [data.server_name, isServerName],
    [data.user_id, (text) => ids.parseNewUserId(text) !== undefined],
    [data.room_id, ids.isRoomId],
    [data.room_alias, ids.isRoomAlias],
    [data.event_id, ids.isEventId],
    [data.common_namespaced_identifier, ids.isNamespacedIdentifier],
    [data.opaque_identifier, ids.isOpaqueIdentifier],
  ];
  for (const [{ valid, invalid }, accepts] of grammars) {
    for (const text of valid) t.equal(accepts(text), true, text);
    for (const { value, why } of invalid) t.equal(accepts(value), false, `${JSON.stringify(value)}: ${why}`);
  }
  const { historical } = data.user_id;
  for (const text of historical.must_accept_in_events)
    t.equal(ids.parseUserId(text), text, JSON.stringify(text));
  for (const text of historical.must_not_accept)
    t.equal(ids.parseUserId(text), undefined, JSON.stringify(text));
  for (const text of historical.non_compliant) {
    const userId = ids.parseUserId(text);
    t.equal(userId !== undefined && ids.isCompliantUserId(userId), false, JSON.stringify(text));
  }
  for (const { input, mapped, case_distinguishing: distinguishCase = false } of data.localpart_mapping
    .cases) {
    t.equal(ids.mapToLocalpart(input, { distinguishCase }), mapped, input);
  }
});

t.test("user IDs", async (t) => {
  for (const text of [
    "@alice:example.org",
    "@Alice:example.org",
    "@:example.org",
    "@ali ce:[::1]:8448",
    "@😀:a",
  ]) {
    t.equal(ids.parseUserId(text), text);
  }
  for (const text of [
    "",
    "@",
    "@alice",
    "alice:a",
    "@alice:",
    "@a\0b:a",
    "@\ud800:a",
    "@a:b:c:d",
    "@a:exa_mple",
    "!a:a",
  ]) {
    t.equal(ids.parseUserId(text), undefined, JSON.stringify(text));
  }
  const alice = ids.parseUserId("@alice:example.org:8448");
  if (alice === undefined) throw new Error("not a user ID");
  t.equal(ids.localpart(alice), "alice");
  t.equal(ids.serverNameOf(alice), "example.org:8448");
  t.equal(ids.isCompliantUserId(alice), true);
  t.equal(ids.parseNewUserId("@Alice:example.org"), undefined);
  t.equal(ids.parseNewUserId("@a.b_c=d-e/f+g:example.org"), "@a.b_c=d-e/f+g:example.org");
  t.equal(ids.makeUserId("bob", ids.serverNameOf(alice)), "@bob:example.org:8448");
  t.equal(ids.makeUserId("b:ob", ids.serverNameOf(alice)), undefined);
});

t.test("no identifier is longer than 255 bytes of UTF-8", async (t) => {
  t.equal(ids.isUserId(`@${"a".repeat(252)}:b`), true);
  t.equal(ids.isUserId(`@${"a".repeat(253)}:b`), false);
  t.equal(ids.isRoomAlias(`#${"é".repeat(126)}:b`), true);
  t.equal(ids.isRoomAlias(`#${"é".repeat(126)}a:b`), false);
  t.equal(ids.isEventId(`$${"a".repeat(254)}`), true);
  t.equal(ids.isEventId(`$${"a".repeat(255)}`), false);
});

t.test("room and event IDs with and without a domain", async (t) => {
  const hashRoom = ids.parseRoomId("!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM");
  const namedRoom = ids.parseRoomId("!opaque:example.org");
  if (hashRoom === undefined || namedRoom === undefined) throw new Error("not a room ID");
  t.equal(ids.isHashRoomId(hashRoom), true);
  t.equal(ids.isHashRoomId(namedRoom), false);
  t.equal(ids.domainOf(hashRoom), undefined);
  t.equal(ids.domainOf(namedRoom), "example.org");
  for (const text of [
    "!short",
    "!",
    "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM=",
    "!31hneApxJ/1o+63DmFrpeqnkFfWppnzWso1JvH3ogLM",
  ]) {
    t.equal(ids.parseRoomId(text), undefined, text);
  }
  for (const text of ["$opaque:example.org", "$CD66HAED5npg6074c6pDtLKalHjVfYb2q4Q3LZgrW6o", "$a/b+c"]) {
    t.equal(ids.parseEventId(text), text);
  }
  for (const text of ["$", "", "a", "$a\0", "$\udc00"])
    t.equal(ids.parseEventId(text), undefined, JSON.stringify(text));
});

t.test(
  "every text maps to a localpart that may be registered, and those that differ stay apart",
  async (t) => {
    const text = fc.string({
      unit: fc.constantFrom("a", "A", "_", "=", "0", "á", "😀", "\0", "/"),
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(text, text, (one, other) => {
        const options = { distinguishCase: true };
        const mapped = ids.mapToLocalpart(one, options);
        return (
          ids.isNewLocalpart(mapped) && (one === other) === (mapped === ids.mapToLocalpart(other, options))
        );
      }),
    );
    t.equal(ids.mapToLocalpart("Ab_#á=", { distinguishCase: false }), "ab_=23=c3=a1=3d");
  },
);

t.test("no text makes the parsers throw", async (t) => {
  const parsers = [
    ids.parseUserId,
    ids.parseNewUserId,
    ids.parseRoomId,
    ids.parseRoomAlias,
    ids.parseEventId,
    parseServerName,
    ids.isOpaqueIdentifier,
    ids.isNamespacedIdentifier,
  ];
  const text = fc.string({
    unit: fc.constantFrom("@", "!", "$", "#", ":", "[", "]", "a", "1", ".", "\0", "\ud800", "é"),
  });
  const property = fc.property(text, (input) => {
    for (const parse of parsers) parse(input);
  });
  t.doesNotThrow(() => fc.assert(property), "for every text that was tried");
});
