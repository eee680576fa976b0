import { deepEqual, equal, ok } from "node:assert/strict";
import * as fc from "fast-check";
import t from "tap";
import { authStateOf } from "../auth/auth-state.ts";
import { authorise } from "../auth/authorise.ts";
import { versionNamed } from "../auth/testing/test-event.ts";
import type { RoomVersion } from "../room-versions.ts";
import { authChainDifference } from "./auth-chain-difference.ts";
import { conflictedSubgraph } from "./conflicted-subgraph.ts";
import { resolveState } from "./resolve-state.ts";
import { separateState } from "./separate.ts";
import { baseRoom, levels } from "./testing/base-room.ts";
import { resolvePlainly } from "./testing/plain-resolution.ts";
import { eventsOf, histories, play } from "./testing/random-room.ts";
import type { TestBranch, TestDag } from "./testing/test-dag.ts";
import { conflictedEvents, type ResolutionSource, type StateMap } from "./types.ts";

const versions = ["1", "2", "7", "10", "11", "12"].map(versionNamed);
const options = { numRuns: 40 };

/** The tips of a random room. */
function tipsOf(branches: readonly TestBranch[]): readonly StateMap[] {
  return branches.slice(-4).map(({ state }) => state);
}

function dagOf(branches: readonly TestBranch[]): TestDag {
  const [first] = branches;
  if (first === undefined) throw new Error("A random room has branches.");
  return first.dag;
}

function idsOf(dag: TestDag, state: StateMap): string[] {
  return eventsOf(dag, state)
    .map(({ eventId }) => eventId)
    .sort();
}

function forEachRoom(check: (version: RoomVersion, dag: TestDag, states: readonly StateMap[]) => void): void {
  for (const version of versions) {
    fc.assert(
      fc.property(histories, (history) => {
        const branches = play(version, history);
        check(version, dagOf(branches), tipsOf(branches));
      }),
      options,
    );
  }
}

/** The same room with its integers counted from the other end. */
function renumbered(
  dag: TestDag,
  size: number,
): { source: ResolutionSource; flip: (state: StateMap) => StateMap } {
  const turn = (number: number): number => size - number;
  const flip = (state: StateMap): StateMap =>
    new Map([...state].toReversed().map(([pair, nid]) => [turn(pair), turn(nid)]));
  const turnIf = (number: number | undefined) => (number === undefined ? undefined : turn(number));
  const source: ResolutionSource = {
    events: (nids) =>
      nids.toReversed().map((nid) => {
        const event = dag.event(turn(nid));
        return { ...event, nid, authEventNids: event.authEventNids.map(turn) };
      }),
    pair(type, stateKey) {
      return turnIf(dag.pair(type, stateKey));
    },
    pairOf: (nid) => turnIf(dag.pairOf(turn(nid))),
    authEventNids: (nid) => dag.authEventNids(turn(nid)).map(turn),
    succession(nid) {
      const { predecessor, height, jump } = dag.succession(turn(nid));
      return { predecessor: turnIf(predecessor), height, jump: turnIf(jump) };
    },
  };
  return { source, flip };
}

t.test("states are resolved as the algorithm says, word for word", async () => {
  forEachRoom((version, dag, states) => {
    if (version.stateResolution === "v1") return;
    deepEqual(resolveState(version, states, dag), resolvePlainly(dag, states));
  });
});

t.test("neither the order of the states nor the integers matter", async () => {
  forEachRoom((version, dag, states) => {
    const expected = idsOf(dag, resolveState(version, states, dag));
    deepEqual(idsOf(dag, resolveState(version, states.toReversed(), dag)), expected);
    const { source, flip } = renumbered(dag, 1_000);
    const turned = flip(resolveState(version, states.map(flip), source));
    deepEqual(idsOf(dag, turned), expected);
  });
});

t.test("states that come twice change nothing, and a result resolved is itself", async () => {
  forEachRoom((version, dag, states) => {
    const once = resolveState(version, states, dag);
    deepEqual(resolveState(version, [...states, ...states.map((state) => new Map(state))], dag), once);
    deepEqual(resolveState(version, [once, new Map(once)], dag), once);
    deepEqual(resolveState(version, [once], dag), once);
  });
});

t.test("what is not in conflict stays, and nothing comes from elsewhere", async () => {
  forEachRoom((version, dag, states) => {
    const before = states.map((state) => new Map(state));
    const result = resolveState(version, states, dag);
    deepEqual(states, before, "the states are left as they are");
    const forks = separateState(states);
    const conflicted = conflictedEvents(forks);
    const candidates = new Set([...forks.common.values(), ...conflicted]);
    for (const nid of authChainDifference(dag, forks)) candidates.add(nid);
    for (const nid of conflictedSubgraph(dag, conflicted)) candidates.add(nid);
    for (const [pair, nid] of forks.common) equal(result.get(pair), nid);
    for (const [pair, nid] of result) {
      const { type, stateKey } = dag.event(nid).roomEvent;
      equal(dag.pair(type, stateKey ?? ""), pair);
      ok(candidates.has(nid));
    }
  });
});

t.test("every event of a resolved state is allowed by its own auth events", async () => {
  forEachRoom((version, dag, states) => {
    const create = dag.event(0).roomEvent;
    for (const nid of resolveState(version, states, dag).values()) {
      const { roomEvent, authEventNids } = dag.event(nid);
      const authEvents = authEventNids.map((authNid) => dag.event(authNid).roomEvent);
      equal(authorise(version, roomEvent, authStateOf([create, ...authEvents])), undefined);
    }
  });
});

t.test("random rooms have conflicts to resolve", async (t) => {
  let conflicts = 0;
  forEachRoom((_, __, states) => {
    conflicts += separateState(states).conflicted.size;
  });
  t.ok(conflicts > 100, `${conflicts} conflicts`);
});

t.test("a fork of a long history is resolved without overflow", async (t) => {
  for (const id of ["2", "12"]) {
    const version = versionNamed(id);
    const room = baseRoom(version);
    const old = room.fork();
    for (let step = 0; step < 3_000; step++) room.powerLevels("alice", levels(version, { bob: step % 50 }));
    old.topic("alice", "Old", { id: "old" });
    const merged = room.dag.merge(room, old);
    t.equal(merged.at("m.room.topic"), "old");
    t.equal(merged.at("m.room.power_levels"), room.at("m.room.power_levels"));
  }
});
