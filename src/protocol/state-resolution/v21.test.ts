import t from "tap";
import { allVersions, user, versionNamed } from "../auth/testing/test-event.ts";
import type { JsonObject } from "../json.ts";
import type { RoomVersion } from "../room-versions.ts";
import { baseRoom, levels } from "./testing/base-room.ts";
import type { TestBranch } from "./testing/test-dag.ts";

const levelsAt = "m.room.power_levels";
const topicAt = "m.room.topic";
const version12 = versionNamed("12");
const isV2 = ({ stateResolution }: RoomVersion): boolean => stateResolution === "v2";

/** The places of a state that a faulty or lying server has lost, or still has as they once were. */
function rewind(branch: TestBranch, places: Readonly<Record<string, string | undefined>>): void {
  for (const [place, id] of Object.entries(places)) {
    const [type = "", key = ""] = place.split("|");
    const pair = branch.dag.place(type, key);
    if (id === undefined) branch.state.delete(pair);
    else branch.state.set(pair, branch.dag.nid(id));
  }
}

/**
 * The first problem that version 2.1 was made for: the creator closes the room and leaves; then two members rename
 * themselves on two branches, and one of the states has lost the join rules. Both know that the creator has left.
 */
function stateLost(version: RoomVersion): TestBranch {
  const left = baseRoom(version);
  left.joinRule("alice", "invite", { id: "closed" });
  left.member("alice", "alice", "leave", { id: "left" });
  const right = left.fork();
  left.member("bob", "bob", "join", { id: "bob-renamed", content: { displayname: "B" } });
  right.member("charlie", "charlie", "join", { id: "charlie-renamed", content: { displayname: "C" } });
  rewind(right, { "m.room.join_rules|": undefined });
  return left.dag.merge(left, right);
}

t.test("join rules that one state has lost are not lost for good", async (t) => {
  for (const version of allVersions.filter(isV2)) {
    const merged = stateLost(version);
    t.equal(merged.at("m.room.join_rules"), undefined, `version ${version.id}: whoever set them has left`);
    t.equal(merged.at("m.room.member", user("charlie")), "charlie-renamed");
  }
  const merged = stateLost(version12);
  t.equal(merged.at("m.room.join_rules"), "closed", "they were allowed when they were set");
  t.equal(merged.at("m.room.member", user("bob")), "bob-renamed");
  t.equal(merged.at("m.room.member", user("charlie")), "charlie-renamed");
  t.equal(merged.at("m.room.member", user("alice")), "left");
});

/**
 * The second problem: three power levels follow each other, and one state still has the first while the other has the
 * third. Both rest on the second, which is in neither state and in no difference.
 */
function stepLost(version: RoomVersion): TestBranch {
  const room = baseRoom(version);
  room.powerLevels("alice", levels(version, { bob: 60 }), { id: "second" });
  room.powerLevels("bob", levels(version, { bob: 60, charlie: 60 }), { id: "third" });
  const [left, right] = [room.fork(), room];
  left.member("eve", "eve", "join", { id: "eve" });
  right.member("zara", "zara", "join", { id: "zara" });
  rewind(left, { [`${levelsAt}|`]: "$levels" });
  return room.dag.merge(left, right);
}

t.test("power levels do not fall back to the first of three", async (t) => {
  for (const version of allVersions.filter(isV2)) {
    t.equal(
      stepLost(version).at(levelsAt),
      "levels",
      `version ${version.id}: the third is not allowed by the first`,
    );
  }
  const merged = stepLost(version12);
  t.equal(merged.at(levelsAt), "third", "the second is in the conflicted state subgraph");
  t.equal(merged.at("m.room.member", user("eve")), "eve");
  t.equal(merged.at("m.room.member", user("zara")), "zara");
});

t.test("what a creator does comes before what the highest level does", async (t) => {
  const highest = { bob: Number.MAX_SAFE_INTEGER };
  const race = (version: RoomVersion, create: JsonObject, creator: string) => {
    const room = baseRoom(version, create);
    room.powerLevels("alice", levels(version, highest), { id: "highest" });
    if (creator !== "alice") room.member(creator, creator, "join", { id: creator });
    const [left, right] = [room.fork(), room.fork()];
    left.member(creator, "bob", "ban", { id: "ban", ts: 9_000 });
    right.joinRule("bob", "invite", { id: "closed", ts: 1 });
    right.member("bob", "charlie", "leave", { id: "kick", ts: 2 });
    return room.dag.merge(left, right);
  };
  for (const creator of ["alice", "dora"]) {
    const merged = race(version12, { additional_creators: [user("dora")] }, creator);
    t.equal(merged.at("m.room.member", user("bob")), "ban", `by ${creator}`);
    t.equal(merged.at("m.room.join_rules"), "public");
    t.equal(merged.at("m.room.member", user("charlie")), "charlie");
  }
});

t.test("nothing is taken from a creator", async (t) => {
  const room = baseRoom(version12);
  const [left, right] = [room.fork(), room.fork()];
  left.powerLevels("bob", { [user("alice")]: 0, [user("bob")]: 50 }, { id: "coup" });
  left.member("bob", "alice", "ban", { id: "ban" });
  right.topic("alice", "Mine", { id: "mine" });
  const merged = room.dag.merge(left, right);
  t.equal(merged.at(levelsAt), "levels");
  t.equal(merged.at("m.room.member", user("alice")), "alice");
  t.equal(merged.at(topicAt), "mine");
});
