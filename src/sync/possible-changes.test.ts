import t from "tap";
import type { StreamChange } from "../storage/streams.ts";
import { PossibleChanges } from "./possible-changes.ts";

const alice = 1;
const bob = 2;
const [inside, outside] = [10, 11];
const joined = new Set([inside]);

const of = (...changes: Omit<StreamChange, "position">[]) =>
  new PossibleChanges(
    changes.map((change, index) => ({ ...change, position: index + 1 })),
    alice,
    joined,
  );

t.test("what happens elsewhere and to others is no change", async (t) => {
  const changes = of(
    { stream: "timeline", nid: outside },
    { stream: "accountData", nid: bob },
    { stream: "membership", nid: bob, membership: { roomNid: outside, joined: true } },
  );
  t.ok(changes.isEmpty);
  t.notOk(changes.has("timeline"));
  t.same([...(changes.of("timeline") ?? [])], []);
});

t.test("rooms and users are named by stream", async (t) => {
  const changes = of(
    { stream: "timeline", nid: inside },
    { stream: "timeline", nid: outside },
    { stream: "accountData", nid: alice },
    { stream: "presence", nid: bob },
  );
  t.notOk(changes.isEmpty);
  t.same([...(changes.of("timeline") ?? [])], [inside]);
  t.same([...(changes.of("presence") ?? [])], [bob]);
  t.ok(changes.has("accountData"));
  t.ok(changes.isNamed("accountData"));
  t.notOk(changes.has("toDevice"));
});

t.test("others who come and go in the user's rooms are moves", async (t) => {
  const changes = of({ stream: "membership", nid: bob, membership: { roomNid: inside, joined: false } });
  t.ok(changes.memberMoves);
  t.notOk(changes.isEmpty);
  t.notOk(changes.has("membership"), "the user's own have not changed");
});

t.test("when changes are not remembered, everything may have changed and nothing is certain", async (t) => {
  const changes = new PossibleChanges(undefined, alice, joined);
  t.notOk(changes.isEmpty);
  t.ok(changes.memberMoves);
  t.ok(changes.has("toDevice"));
  t.equal(changes.of("timeline"), undefined);
  t.notOk(changes.isNamed("oneTimeKeys"));
});
