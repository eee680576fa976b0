import { deepEqual, equal } from "node:assert/strict";
import * as fc from "fast-check";
import t from "tap";
import { versionNamed } from "../auth/testing/test-event.ts";
import { EventReader } from "./event-reader.ts";
import { Heap } from "./heap.ts";
import { mainlineOrder } from "./mainline-order.ts";
import { isPowerEvent, reverseTopologicalPowerOrder, selectPowerEvents } from "./power-order.ts";
import { baseRoom, levels } from "./testing/base-room.ts";
import type { TestDag } from "./testing/test-dag.ts";
import type { ResolvableEvent } from "./types.ts";

const version = versionNamed("11");

function names(dag: TestDag, nids: Iterable<number>): string[] {
  return Array.from(nids, (nid) => dag.event(nid).roomEvent.eventId.slice(1));
}

t.test("a heap gives back its items in order", async () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (items) => {
      const heap = new Heap<number>((left, right) => left - right);
      for (const item of items) heap.push(item);
      const taken = items.map(() => heap.pop());
      deepEqual(
        taken,
        [...items].sort((left, right) => left - right),
      );
      equal(heap.pop(), undefined);
    }),
  );
});

t.test("which events are power events", async (t) => {
  const room = baseRoom(version)
    .topic("bob", "Tea", { id: "topic" })
    .member("bob", "charlie", "leave", { id: "kick" })
    .member("bob", "charlie", "ban", { id: "ban" })
    .member("bob", "dora", "invite", { id: "invite" })
    .member("bob", "bob", "leave", { id: "leave" })
    .send({ type: "m.room.power_levels", sender: "alice", key: "elsewhere", id: "other-levels" });
  const found = Array.from({ length: 12 }, (_, nid) => room.dag.event(nid).roomEvent).filter(isPowerEvent);
  t.strictSame(
    found.map(({ eventId }) => eventId),
    ["$create", "$levels", "$public", "$kick", "$ban"],
  );
});

t.test("power events bring along what they rest on within the set", async (t) => {
  const room = baseRoom(version)
    .topic("bob", "Tea", { id: "topic" })
    .member("bob", "charlie", "ban", { id: "ban" });
  const { dag } = room;
  const set = new Set(["$bob", "$charlie", "$topic", "$ban"].map((id) => dag.nid(id)));
  t.strictSame(names(dag, selectPowerEvents(new EventReader(dag), set)).sort(), ["ban", "bob", "charlie"]);
});

t.test("the power ordering: auth events first, then level, time and ID", async (t) => {
  const room = baseRoom(version);
  const { dag } = room;
  room.joinRule("bob", "invite", { id: "bob-early", ts: 1 });
  room.joinRule("bob", "invite", { id: "bob-b", ts: 2 });
  room.joinRule("bob", "invite", { id: "bob-a", ts: 2 });
  room.joinRule("alice", "invite", { id: "alice", ts: 3 });
  room.member("charlie", "charlie", "join", { id: "renamed", ts: 0 });
  room.joinRule("charlie", "public", { id: "charlie", ts: 0 });
  const reader = new EventReader(dag);
  const ids = ["$charlie", "$bob-a", "$renamed", "$bob-b", "$alice", "$bob-early"];
  const order = reverseTopologicalPowerOrder(
    version,
    reader,
    new Set(ids.map((id) => dag.nid(id))),
    undefined,
  );
  // The renaming rests on alice's join rules, so that hers come first in any case.
  t.strictSame(names(dag, order), ["alice", "bob-early", "bob-a", "bob-b", "renamed", "charlie"]);
});

t.test("events in a circle are left out of the power ordering", async (t) => {
  const room = baseRoom(version);
  const { dag } = room;
  const [bob, charlie, levelsNid] = [dag.nid("$bob"), dag.nid("$charlie"), dag.nid("$levels")];
  const withCircle = {
    ...sourceOf(dag),
    events: (nids: readonly number[]): ResolvableEvent[] =>
      nids.map((nid) => {
        const circle = nid === bob ? [charlie] : nid === charlie ? [bob] : undefined;
        return circle === undefined ? dag.event(nid) : { ...dag.event(nid), authEventNids: circle };
      }),
  };
  const set = new Set([bob, charlie, levelsNid]);
  t.strictSame(reverseTopologicalPowerOrder(version, new EventReader(withCircle), set, undefined), [
    levelsNid,
  ]);
});

t.test("the mainline ordering: older power levels first, then time and ID", async (t) => {
  const room = baseRoom(version);
  const { dag } = room;
  const aside = room.fork();
  room.topic("alice", "On the first", { id: "first-b", ts: 5 });
  room.topic("alice", "On the first", { id: "first-a", ts: 5 });
  room.topic("alice", "On the first", { id: "first-early", ts: 4 });
  room.powerLevels("alice", levels(version, { bob: 60 }), { id: "second" });
  room.topic("alice", "On the second", { id: "second-topic", ts: 2 });
  room.powerLevels("alice", levels(version, { bob: 70 }), { id: "third" });
  room.topic("alice", "On the third", { id: "third-topic", ts: 1 });
  aside.powerLevels("alice", levels(version, { bob: 10 }), { id: "beside" });
  aside.topic("alice", "Beside the mainline", { id: "beside-topic", ts: 6 });
  const ids = ["third-topic", "second-topic", "beside-topic", "first-a", "first-b", "first-early", "alice"];
  const sort = (from: string | undefined) => {
    const powerLevels = from === undefined ? undefined : dag.nid(from);
    return names(
      dag,
      mainlineOrder(
        dag,
        new EventReader(dag),
        ids.map((id) => dag.nid(`$${id}`)),
        powerLevels,
      ),
    );
  };
  const firsts = ["first-early", "first-a", "first-b", "beside-topic"];
  t.strictSame(sort("$third"), ["alice", ...firsts, "second-topic", "third-topic"]);
  // Seen from the second power levels, what rests on the third rests on the second.
  t.strictSame(sort("$second"), ["alice", ...firsts, "third-topic", "second-topic"]);
  t.equal(sort(undefined)[0], "third-topic", "without power levels time decides");
});

t.test("long lines of power levels are not walked through", async (t) => {
  const room = baseRoom(version);
  const { dag } = room;
  const aside = room.fork();
  for (const line of [room, aside]) {
    for (let step = 0; step < 1_000; step++) line.powerLevels("alice", levels(version, { bob: step % 50 }));
  }
  const topics = Array.from({ length: 50 }, (_, index) => `topic-${String(index).padStart(2, "0")}`);
  for (const id of topics) aside.topic("alice", id, { id, ts: 1 });
  let steps = 0;
  const counting = {
    ...sourceOf(dag),
    events: (nids: readonly number[]): ResolvableEvent[] => {
      steps += nids.length;
      return dag.events(nids);
    },
    succession: (nid: number) => {
      steps += 1;
      return dag.succession(nid);
    },
  };
  const newest = dag.nid(`$${room.at("m.room.power_levels")}`);
  const nids = topics.map((id) => dag.nid(`$${id}`)).toReversed();
  t.strictSame(names(dag, mainlineOrder(counting, new EventReader(counting), nids, newest)), topics);
  t.ok(steps < 300, `${steps} steps`);
});

function sourceOf(dag: TestDag) {
  return {
    events: (nids: readonly number[]) => dag.events(nids),
    succession: (nid: number) => dag.succession(nid),
  };
}
