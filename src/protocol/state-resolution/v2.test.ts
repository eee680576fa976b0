import t from "tap";
import { allVersions, user } from "../auth/testing/test-event.ts";
import { baseRoom, levels } from "./testing/base-room.ts";

const topicAt = "m.room.topic";
const levelsAt = "m.room.power_levels";

/** What is alike in versions 2 and 2.1 of state resolution. */
for (const version of allVersions.filter(({ stateResolution }) => stateResolution !== "v1")) {
  t.test(`room version ${version.id}`, async (t) => {
    t.test("states without a conflict are one state", async (t) => {
      const room = baseRoom(version);
      const { dag } = room;
      t.strictSame(dag.merge(room, room.fork()).state, room.state);
      t.strictSame(dag.merge(room).state, room.state);
      t.strictSame(dag.merge().state, new Map());
    });

    t.test("what only one state has is a conflict, and allowed", async (t) => {
      const room = baseRoom(version);
      const [left, right] = [room.fork(), room.fork()];
      left.member("dora", "dora", "join", { id: "dora" });
      right.member("ella", "ella", "join", { id: "ella" });
      const merged = room.dag.merge(left, right);
      t.equal(merged.at("m.room.member", user("dora")), "dora");
      t.equal(merged.at("m.room.member", user("ella")), "ella");
      t.equal(merged.state.size, room.state.size + 2);
    });

    t.test("a ban beats the power levels that the banned user sends at the same time", async (t) => {
      const room = baseRoom(version);
      const [left, right] = [room.fork(), room.fork()];
      left.member("alice", "bob", "ban", { id: "ban" });
      right.powerLevels("bob", levels(version, { bob: 50, charlie: 50 }), { id: "raise", ts: 1 });
      const merged = room.dag.merge(left, right);
      t.equal(merged.at("m.room.member", user("bob")), "ban");
      t.equal(merged.at(levelsAt), "levels");
    });

    t.test("the demotion of a user beats what the user sends at the same time", async (t) => {
      const room = baseRoom(version);
      room.topic("alice", "Before", { id: "before" });
      const [left, right] = [room.fork(), room.fork()];
      left.powerLevels("alice", levels(version, { bob: 0 }), { id: "demotion" });
      right.topic("bob", "Mine", { id: "mine" });
      const merged = room.dag.merge(left, right);
      t.equal(merged.at(levelsAt), "demotion");
      t.equal(merged.at(topicAt), "before");
    });

    t.test("a closed door beats a join at the same time", async (t) => {
      const room = baseRoom(version);
      const [left, right] = [room.fork(), room.fork()];
      left.joinRule("alice", "invite", { id: "closed" });
      right.member("ella", "ella", "join", { id: "ella", ts: 1 });
      const merged = room.dag.merge(left, right);
      t.equal(merged.at("m.room.join_rules"), "closed");
      t.equal(merged.at("m.room.member", user("ella")), undefined);
    });

    t.test(
      "a kick beats what the kicked user sends at the same time, unless the user comes back before it",
      async (t) => {
        const room = baseRoom(version);
        const [left, right] = [room.fork(), room.fork()];
        left.member("alice", "bob", "leave", { id: "kick", ts: 7_000 });
        right.topic("bob", "Mine", { id: "mine", ts: 9_000 });
        t.equal(room.dag.merge(left, right).at(topicAt), undefined);
        left.member("bob", "bob", "join", { id: "rejoin", ts: 8_000 });
        t.equal(room.dag.merge(left, right).at(topicAt), "mine");
      },
    );

    t.test("of two demotions the one of higher power comes first", async (t) => {
      const room = baseRoom(version);
      const [left, right] = [room.fork(), room.fork()];
      left.powerLevels("alice", levels(version, { bob: 0 }), { id: "of-bob", ts: 9_000 });
      right.powerLevels("bob", levels(version, { bob: 50, charlie: 50 }), { id: "of-charlie", ts: 1 });
      t.equal(room.dag.merge(left, right).at(levelsAt), "of-bob");
    });

    t.test("power levels that nobody may set are ignored", async (t) => {
      const room = baseRoom(version);
      const [left, right] = [room.fork(), room.fork()];
      left.powerLevels("charlie", levels(version, { charlie: 100 }), { id: "coup" });
      right.topic("bob", "Mine", { id: "mine" });
      const merged = room.dag.merge(left, right);
      t.equal(merged.at(levelsAt), "levels");
      t.equal(merged.at(topicAt), "mine");
    });

    t.test("power levels are allowed by those between, though no state has them any more", async (t) => {
      const room = baseRoom(version);
      const [left, right] = [room.fork(), room.fork()];
      left.powerLevels("alice", levels(version, { bob: 60 }), { id: "second" });
      left.powerLevels("bob", levels(version, { bob: 60, charlie: 60 }), { id: "third" });
      right.topic("bob", "Mine", { id: "mine" });
      const merged = room.dag.merge(left, right);
      t.equal(merged.at(levelsAt), "third");
      t.equal(merged.at(topicAt), "mine");
    });

    t.test(
      "what the states agree on stays, though the chain of one of them has something else there",
      async (t) => {
        const room = baseRoom(version).powerLevels("alice", levels(version, { charlie: 50 }));
        const [left, right] = [room.fork(), room.fork()];
        left.member("charlie", "charlie", "join", { id: "once", ts: 8_000 });
        left.topic("charlie", "Mine", { id: "mine" });
        right.member("charlie", "charlie", "join", { id: "now", ts: 9_000 });
        const merged = room.dag.merge(left, right);
        t.equal(merged.at("m.room.member", user("charlie")), "now");
        const again = room.dag.merge(merged, right);
        t.equal(
          again.at("m.room.member", user("charlie")),
          "now",
          "the topic brings along the other membership",
        );
        t.equal(again.at(topicAt), "mine");
      },
    );

    t.test("of equal events the later wins, by time and then by event ID", async (t) => {
      const topics = (left: readonly [string, number], right: readonly [string, number]) => {
        const room = baseRoom(version);
        const branches = [left, right].map(([id, ts]) => room.fork().topic("bob", id, { id, ts }));
        return room.dag.merge(...branches).at(topicAt);
      };
      t.equal(topics(["a", 9_000], ["b", 8_000]), "a");
      t.equal(topics(["a", 8_000], ["b", 9_000]), "b");
      t.equal(topics(["a", 9_000], ["b", 9_000]), "b");
      t.equal(topics(["b", 9_000], ["a", 9_000]), "b");
    });

    t.test("an event that rests on newer power levels wins, whatever its time", async (t) => {
      const room = baseRoom(version);
      const [left, right] = [room.fork(), room.fork()];
      left.powerLevels("alice", levels(version, { bob: 50, charlie: 10 }), { id: "newer" });
      left.topic("alice", "New", { id: "on-newer", ts: 1 });
      right.topic("bob", "Old", { id: "on-older", ts: 9_000 });
      t.equal(room.dag.merge(left, right).at(topicAt), "on-newer");
    });

    t.test("the order of three states does not matter", async (t) => {
      const room = baseRoom(version);
      const one = room.fork().powerLevels("alice", levels(version, { bob: 0 }), { id: "demotion" });
      const two = room
        .fork()
        .topic("bob", "Mine", { id: "mine" })
        .member("bob", "charlie", "leave", { id: "kick" });
      const three = room
        .fork()
        .topic("alice", "Hers", { id: "hers" })
        .member("dora", "dora", "join", { id: "dora" });
      const orders = [
        [one, two, three],
        [three, two, one],
        [two, one, three],
        [two, three, one],
      ];
      for (const order of orders) {
        const merged = room.dag.merge(...order);
        t.equal(merged.at(levelsAt), "demotion");
        t.equal(merged.at(topicAt), "hers");
        t.equal(merged.at("m.room.member", user("charlie")), "charlie");
        t.equal(merged.at("m.room.member", user("dora")), "dora");
      }
    });

    t.test("for what the state lacks an event's own auth events count, but for rejected ones", async (t) => {
      for (const rejected of [false, true]) {
        const room = baseRoom(version).powerLevels("alice", levels(version, {}), {
          content: { state_default: 0 },
        });
        const { dag } = room;
        room.member("dora", "dora", "join", { id: "dora" });
        if (rejected) dag.reject("$dora");
        const [left, right] = [room.fork(), room.fork()];
        left.topic("dora", "One", { id: "one" });
        right.topic("dora", "Two", { id: "two" });
        for (const { state } of [left, right]) state.delete(dag.place("m.room.member", user("dora")));
        t.equal(dag.merge(left, right).at(topicAt), rejected ? undefined : "two");
      }
    });

    t.test("nested forks are resolved as they come together", async (t) => {
      const room = baseRoom(version);
      const [left, right] = [room.fork(), room.fork()];
      left.topic("alice", "One", { id: "one" });
      right.topic("bob", "Two", { id: "two" });
      const merged = room.dag.merge(left, right);
      t.equal(merged.at(topicAt), "two");
      merged.topic("alice", "Three", { id: "three" });
      left.member("alice", "bob", "ban", { id: "ban" });
      const again = room.dag.merge(left, merged);
      t.equal(again.at("m.room.member", user("bob")), "ban");
      t.equal(again.at(topicAt), "three");
    });
  });
}
