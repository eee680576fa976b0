import { deepEqual, equal } from "node:assert/strict";
import * as fc from "fast-check";
import t from "tap";
import { authChainDifference } from "./auth-chain-difference.ts";
import { conflictedSubgraph } from "./conflicted-subgraph.ts";
import { separateState } from "./separate.ts";
import { firstInLine, type Succession, successionAfter } from "./succession.ts";
import { type AuthGraph, conflictedEvents, type StateMap } from "./types.ts";

const pairCount = 5;

interface RandomRoom {
  readonly graph: AuthGraph & { readonly size: number };
  readonly states: readonly StateMap[];
}

/** Events that cite earlier ones, event n having its place in pair n modulo 5; and some states of them. */
const rooms: fc.Arbitrary<RandomRoom> = fc
  .array(fc.array(fc.nat(1000), { maxLength: 3 }), { minLength: pairCount, maxLength: 30 })
  .chain((citations) => {
    const edges = citations.map((cited, nid) => (nid === 0 ? [] : cited.map((number) => number % nid)));
    const event = fc.option(fc.nat(Math.floor(edges.length / pairCount) - 1), { nil: undefined, freq: 9 });
    const state = fc.array(event, { minLength: pairCount, maxLength: pairCount }).map((rounds) => {
      const places = rounds
        .map((round, pair) => [pair, round] as const)
        .filter(([, round]) => round !== undefined);
      return new Map(places.map(([pair, round]) => [pair, (round ?? 0) * pairCount + pair]));
    });
    const graph = { size: edges.length, ...graphOf(edges) };
    return fc.array(state, { minLength: 1, maxLength: 4 }).map((states) => ({ graph, states }));
  });

/** The graph of such edges. */
function graphOf(edges: readonly (readonly number[])[]): AuthGraph {
  const pairOf = (nid: number) => nid % pairCount;
  const successions: Succession[] = [];
  const succession = (nid: number) => successions[nid] ?? firstInLine;
  for (const [nid, cited] of edges.entries()) {
    const predecessor = cited.find((other) => pairOf(other) === pairOf(nid));
    successions.push(successionAfter({ succession }, predecessor));
  }
  return { authEventNids: (nid) => edges[nid] ?? [], pairOf, succession };
}

/** By definition: the events that some events reach, themselves included. */
function chainOf(graph: AuthGraph, events: Iterable<number>): Set<number> {
  const chain = new Set(events);
  for (const event of chain) for (const cited of graph.authEventNids(event)) chain.add(cited);
  return chain;
}

function sorted(events: Iterable<number>): number[] {
  return [...events].sort((left, right) => left - right);
}

t.test("states are separated as the definition says", async () => {
  fc.assert(
    fc.property(rooms, ({ states }) => {
      const forks = separateState(states);
      for (let pair = 0; pair < pairCount; pair++) {
        const events = new Set(states.map((state) => state.get(pair)));
        const [first] = events;
        const isConflict = events.size > 1;
        equal(forks.unconflicted(pair), isConflict ? undefined : first);
        equal(forks.conflicted.has(pair), isConflict);
        if (isConflict)
          deepEqual(
            forks.conflicted.get(pair),
            states.map((state) => state.get(pair)),
          );
      }
    }),
  );
});

t.test("the auth difference is the union of the chains without their intersection", async () => {
  fc.assert(
    fc.property(rooms, ({ graph, states }) => {
      const chains = states.map((state) => chainOf(graph, state.values()));
      const expected = new Set<number>();
      for (let event = 0; event < graph.size; event++) {
        const count = chains.filter((chain) => chain.has(event)).length;
        if (count > 0 && count < chains.length) expected.add(event);
      }
      const forks = separateState(states);
      deepEqual(
        sorted(authChainDifference(graph, forks)),
        sorted(expected.difference(conflictedEvents(forks))),
      );
    }),
  );
});

/**
 * Some events made to rest on later ones; and which they are. All others came after everything that they rest on, be it
 * by way of others, and nothing rests on itself.
 */
function withLateEdges(graph: RandomRoom["graph"], wanted: readonly (readonly [number, number])[]) {
  let edges = Array.from({ length: graph.size }, (_, nid) => [...graph.authEventNids(nid)]);
  let lateEvents = new Set<number>();
  for (const pair of wanted) {
    const [nid = 0, cited = 0] = sorted(pair.map((number) => number % graph.size));
    if (nid === cited) continue;
    const withEdge = edges.map((others, event) => (event === nid ? [...others, cited] : others));
    const late = new Set(lateEvents).add(nid);
    const reached = { ...graph, authEventNids: (event: number) => withEdge[event] ?? [] };
    if (chainOf(reached, [cited]).has(nid)) continue;
    if (withEdge.some((_, event) => !late.has(event) && Math.max(...chainOf(reached, [event])) > event))
      continue;
    [edges, lateEvents] = [withEdge, late];
  }
  return { edges, lateEvents };
}

const laterEdges = fc.array(fc.tuple(fc.nat(29), fc.nat(29)), { maxLength: 8 });

t.test("walks that know which events come too early to matter find the same", async () => {
  let late = 0;
  fc.assert(
    fc.property(rooms, laterEdges, ({ graph, states }, wanted) => {
      const { edges, lateEvents } = withLateEdges(graph, wanted);
      late += lateEvents.size;
      const unordered = graphOf(edges);
      const ordered = { ...unordered, lateEvents };
      const forks = separateState(states);
      const conflicted = conflictedEvents(forks);
      deepEqual(sorted(authChainDifference(ordered, forks)), sorted(authChainDifference(unordered, forks)));
      deepEqual(
        sorted(conflictedSubgraph(ordered, conflicted)),
        sorted(conflictedSubgraph(unordered, conflicted)),
      );
    }),
    { numRuns: 500 },
  );
  equal(late > 100, true);
});

t.test("an event that rests on later ones is gone on from", async () => {
  // 3 is an invite that came before 5, on which it rests; 9 and 10 are a conflict, of which one alone rests on 5.
  const edges = new Map([
    [3, [5]],
    [9, [5]],
  ]);
  const graph = {
    authEventNids: (nid: number) => edges.get(nid) ?? [],
    pairOf: (nid: number) => (nid === 3 ? 1 : nid === 5 ? 3 : 2),
    succession: () => firstInLine,
    lateEvents: new Set([3]),
  };
  const forks = separateState([
    new Map([
      [1, 3],
      [2, 9],
    ]),
    new Map([
      [1, 3],
      [2, 10],
    ]),
  ]);
  equal(authChainDifference(graph, forks).has(5), false);
  edges.delete(3);
  equal(authChainDifference(graph, forks).has(5), true);
});

t.test("the conflicted state subgraph is all that lies between conflicted events", async () => {
  fc.assert(
    fc.property(rooms, ({ graph, states }) => {
      const conflicted = conflictedEvents(separateState(states));
      const expected = [...chainOf(graph, conflicted)].filter((event) =>
        [...chainOf(graph, [event])].some((reached) => conflicted.has(reached)),
      );
      deepEqual(sorted(conflictedSubgraph(graph, conflicted)), sorted(expected));
    }),
  );
});

t.test("long chains and circles come to an end", async (t) => {
  const length = 100_000;
  const lineOf = (authEventNids: AuthGraph["authEventNids"]): AuthGraph => ({
    authEventNids,
    pairOf: () => undefined,
    succession: () => firstInLine,
  });
  const line = lineOf((nid) => (nid === 0 ? [] : [nid - 1]));
  const ends = separateState([new Map([[1, length]]), new Map([[1, 0]])]);
  t.equal(authChainDifference(line, ends).size, length - 1);
  t.equal(conflictedSubgraph(line, new Set([0, length])).size, length + 1);

  const circle = lineOf((nid) => [(nid + 1) % 10]);
  t.equal(conflictedSubgraph(circle, new Set([3])).size, 10);
  const within = separateState([new Map([[1, 3]]), new Map([[1, 4]])]);
  t.strictSame(authChainDifference(circle, within), new Set());
});

t.test("what has been succeeded long ago is found without walking there", async (t) => {
  const length = 10_000;
  // Events 0, 10, 20 ... are power levels that rest on those before; each is cited by nine topics after it.
  const edges = Array.from({ length: length * 10 }, (_, nid) =>
    nid % 10 === 0 ? [nid - 10] : [nid - (nid % 10)],
  );
  edges[0] = [];
  const successions: Succession[] = [];
  let steps = 0;
  const graph = {
    authEventNids(nid: number) {
      steps += 1;
      return edges[nid] ?? [];
    },
    pairOf: (nid: number) => (nid % 10 === 0 ? 0 : 1),
    succession(nid: number) {
      steps += 1;
      return successions[nid / 10] ?? firstInLine;
    },
    lateEvents: new Set<number>(),
  };
  for (let nid = 0; nid < length; nid++) {
    successions.push(successionAfter(graph, nid === 0 ? undefined : (nid - 1) * 10));
  }
  steps = 0;
  const newest = (length - 1) * 10;
  const forks = separateState([
    new Map([
      [0, newest],
      [1, newest + 1],
    ]),
    new Map([
      [0, newest],
      [1, 5_001],
    ]),
  ]);
  t.strictSame(authChainDifference(graph, forks), new Set());
  t.ok(steps < 100, `${steps} steps`);
});
