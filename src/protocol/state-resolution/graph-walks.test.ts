import { deepEqual, equal } from "node:assert/strict";
import * as fc from "fast-check";
import t from "tap";
import { walkAuthChainDifference } from "./auth-chain-difference.ts";
import { walkConflictedSubgraph } from "./conflicted-subgraph.ts";
import { separateState } from "./separate.ts";
import type { AuthGraph, StateMap } from "./types.ts";

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
    const graph = { size: edges.length, authEventNids: (nid: number) => edges[nid] ?? [] };
    return fc.array(state, { minLength: 1, maxLength: 4 }).map((states) => ({ graph, states }));
  });

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
      const { unconflicted, conflicted } = separateState(states);
      for (let pair = 0; pair < pairCount; pair++) {
        const events = new Set(states.map((state) => state.get(pair)));
        const [first] = events;
        const isConflict = events.size > 1;
        equal(unconflicted.get(pair), isConflict ? undefined : first);
        equal(conflicted.has(pair), isConflict);
        events.delete(undefined);
        if (isConflict) deepEqual(new Set(conflicted.get(pair)), events);
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
      const found = walkAuthChainDifference(graph, states);
      const conflicted = [...separateState(states).conflicted.values()].flat();
      deepEqual(sorted(new Set([...found, ...conflicted])), sorted(new Set([...expected, ...conflicted])));
    }),
  );
});

t.test("a walk that is told which events come too early to matter finds the same", async () => {
  let walked = 0;
  fc.assert(
    fc.property(rooms, ({ graph, states }) => {
      const ordered = {
        authEventNids: (nid: number) => graph.authEventNids(nid),
        isBelow(nid: number, other: number) {
          walked += 1;
          return nid < other;
        },
      };
      const conflicted = [...separateState(states).conflicted.values()].flat();
      const found = (from: AuthGraph) =>
        sorted(new Set([...walkAuthChainDifference(from, states), ...conflicted]));
      deepEqual(found(ordered), found(graph));
    }),
  );
  equal(walked > 0, true);
});

t.test("an event that rests on later ones is gone on from", async () => {
  // 3 is an invite that came before 5, on which it rests; 9 and 10 are a conflict, of which one alone rests on 5.
  const edges = new Map([
    [3, [5]],
    [9, [5]],
  ]);
  const graph = {
    authEventNids: (nid: number) => edges.get(nid) ?? [],
    isBelow: (nid: number, other: number) => nid < other && nid !== 3,
  };
  const [ours, theirs] = [
    new Map([
      [1, 3],
      [2, 9],
    ]),
    new Map([
      [1, 3],
      [2, 10],
    ]),
  ];
  equal(walkAuthChainDifference(graph, [ours, theirs]).has(5), false);
  edges.delete(3);
  equal(walkAuthChainDifference(graph, [ours, theirs]).has(5), true);
});

t.test("the conflicted state subgraph is all that lies between conflicted events", async () => {
  fc.assert(
    fc.property(rooms, ({ graph, states }) => {
      const conflicted = new Set([...separateState(states).conflicted.values()].flat());
      const expected = [...chainOf(graph, conflicted)].filter((event) =>
        [...chainOf(graph, [event])].some((reached) => conflicted.has(reached)),
      );
      deepEqual(sorted(walkConflictedSubgraph(graph, conflicted)), sorted(expected));
    }),
  );
});

t.test("long chains and circles come to an end", async (t) => {
  const length = 100_000;
  const line: AuthGraph = { authEventNids: (nid) => (nid === 0 ? [] : [nid - 1]) };
  const states = [new Map([[1, length]]), new Map([[1, 0]])];
  t.equal(walkAuthChainDifference(line, states).size, length);
  t.equal(walkConflictedSubgraph(line, new Set([0, length])).size, length + 1);

  const circle: AuthGraph = { authEventNids: (nid) => [(nid + 1) % 10] };
  t.equal(walkConflictedSubgraph(circle, new Set([3])).size, 10);
  t.strictSame(walkAuthChainDifference(circle, [new Map([[1, 3]]), new Map([[1, 4]])]), new Set());
});
