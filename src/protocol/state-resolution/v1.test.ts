import { createHash } from "node:crypto";
import t, { type Test } from "tap";
import { user, versionNamed } from "../auth/testing/test-event.ts";
import { baseRoom, levels } from "./testing/base-room.ts";
import type { TestBranch } from "./testing/test-dag.ts";

const version = versionNamed("1");
const levelsAt = "m.room.power_levels";
const topicAt = "m.room.topic";

function forked(): [left: TestBranch, right: TestBranch] {
  const room = baseRoom(version);
  return [room.fork(), room.fork()];
}

/** The winner, which must not depend on the order of the states. */
function winner(t: Test, left: TestBranch, right: TestBranch, type: string, key = ""): string | undefined {
  const merged = left.dag.merge(left, right);
  t.strictSame(new Map(left.dag.merge(right, left).state), merged.state, "in either order");
  return merged.at(type, key);
}

t.test("what only one state has is not a conflict", async (t) => {
  const [left, right] = forked();
  left.topic("charlie", "Not allowed, but not asked about either", { id: "topic" });
  t.equal(winner(t, left, right, topicAt), "topic");
});

t.test("of power levels the last one of those that are allowed one after the other", async (t) => {
  const [left, right] = forked();
  left.powerLevels("alice", levels(version, { bob: 50, charlie: 50 }), { id: "shallow", depth: 10 });
  right.powerLevels("bob", levels(version, { bob: 50, charlie: 10 }), { id: "deep", depth: 11 });
  t.equal(winner(t, left, right, levelsAt), "shallow", "the second is not allowed by the first");

  const [up, down] = forked();
  up.powerLevels("alice", levels(version, { bob: 100 }), { id: "shallow", depth: 10 });
  down.powerLevels("bob", levels(version, { bob: 100, charlie: 100 }), { id: "deep", depth: 11 });
  t.equal(winner(t, up, down, levelsAt), "deep", "the second is allowed by the first");
});

t.test("the first power levels that are not allowed end the search", async (t) => {
  const room = baseRoom(version);
  const branches = [room.fork(), room.fork(), room.fork()] as const;
  branches[0].powerLevels("alice", levels(version, { bob: 50 }), { id: "first", depth: 10 });
  branches[1].powerLevels("charlie", levels(version, { charlie: 100 }), { id: "coup", depth: 11 });
  branches[2].powerLevels("alice", levels(version, { bob: 60 }), { id: "allowed", depth: 12 });
  t.equal(room.dag.merge(...branches).at(levelsAt), "first");
  t.equal(room.dag.merge(branches[0], branches[2]).at(levelsAt), "allowed");
});

t.test("what is not in conflict counts from the start, members included", async (t) => {
  const room = baseRoom(version).powerLevels("alice", levels(version, { dora: 60 }));
  const [left, right] = [room.fork(), room.fork()];
  left.member("dora", "dora", "join", { id: "dora" });
  left.powerLevels("dora", levels(version, { dora: 60, bob: 1 }), { id: "hers", depth: 11 });
  right.powerLevels("alice", levels(version, { dora: 60, bob: 2 }), { id: "alices", depth: 10 });
  t.equal(winner(t, left, right, levelsAt), "hers");
});

t.test("the first power levels count unasked", async (t) => {
  const [left, right] = forked();
  left.powerLevels("charlie", levels(version, { charlie: 100 }), { id: "coup", depth: 10 });
  right.powerLevels("alice", levels(version, { bob: 50 }), { id: "regular", depth: 11 });
  t.equal(winner(t, left, right, levelsAt), "coup", "the bug that made version 2 necessary");
});

t.test("members are judged by the join rules that have won", async (t) => {
  const [left, right] = forked();
  left.joinRule("alice", "invite", { id: "closed", depth: 10 });
  right.joinRule("alice", "public", { id: "open", depth: 9 });
  left.member("alice", "ella", "leave", { id: "leave", depth: 11 });
  right.member("ella", "ella", "join", { id: "join", depth: 12 });
  t.equal(winner(t, left, right, "m.room.join_rules"), "closed");
  t.equal(winner(t, left, right, "m.room.member", user("ella")), "leave");
});

t.test("other members are judged as they were before all conflicts of members", async (t) => {
  const room = baseRoom(version);
  const [left, right] = [room.fork(), room.fork()];
  left.member("alice", "bob", "ban", { id: "ban-bob", depth: 20 });
  right.member("bob", "bob", "join", { id: "bob-renamed", depth: 10 });
  left.member("charlie", "charlie", "join", { id: "charlie-renamed", depth: 10 });
  right.member("bob", "charlie", "ban", { id: "ban-charlie", depth: 20 });
  t.equal(winner(t, left, right, "m.room.member", user("bob")), "ban-bob");
  t.equal(winner(t, left, right, "m.room.member", user("charlie")), "charlie-renamed");
});

t.test("of other events the deepest that is allowed", async (t) => {
  const topics = (left: readonly [string, number], right: readonly [string, number]) => {
    const branches = forked();
    branches[0].topic(left[0], "One", { id: `by-${left[0]}`, depth: left[1] });
    branches[1].topic(right[0], "Two", { id: `by-${right[0]}`, depth: right[1] });
    return winner(t, ...branches, topicAt);
  };
  t.equal(topics(["alice", 10], ["bob", 11]), "by-bob");
  t.equal(topics(["alice", 10], ["charlie", 11]), "by-alice", "charlie may not set it");
  t.equal(topics(["dora", 10], ["charlie", 11]), "by-dora", "neither may: the least deep");
});

t.test("of equally deep events the one with the lowest hash of its ID", async (t) => {
  const [left, right] = forked();
  left.topic("alice", "One", { id: "one", depth: 10 });
  right.topic("alice", "Two", { id: "two", depth: 10 });
  const sha1 = (id: string): string => createHash("sha1").update(`$${id}:example.org`).digest("hex");
  const expected = sha1("one") < sha1("two") ? "one" : "two";
  t.equal(winner(t, left, right, topicAt), expected);
});

t.test("of equally deep power levels the one with the highest hash comes first", async (t) => {
  const [left, right] = forked();
  left.powerLevels("charlie", levels(version, { charlie: 70, dora: 90 }), { id: "one", depth: 10 });
  right.powerLevels("charlie", levels(version, { charlie: 70, ella: 90 }), { id: "two", depth: 10 });
  const sha1 = (id: string): string => createHash("sha1").update(`$${id}:example.org`).digest("hex");
  const [first, second] = sha1("one") > sha1("two") ? ["one", "two"] : ["two", "one"];
  t.equal(winner(t, left, right, levelsAt), first, `whose author may not go on with ${second}`);
});
