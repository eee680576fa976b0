import { authorise } from "../../auth/authorise.ts";
import { powerLevelsOf } from "../../auth/power-levels.ts";
import type { RoomEvent } from "../../pdu.ts";
import { isPowerEvent } from "../power-order.ts";
import type { StateMap } from "../types.ts";
import type { TestDag } from "./test-dag.ts";

/** State resolution of versions 2 and 2.1, word for word and without a thought of what it costs: what others are held to. */
export function resolvePlainly(dag: TestDag, states: readonly StateMap[]): Map<number, number> {
  const isV21 = dag.version.stateResolution === "v2.1";
  const pairs = new Set(states.flatMap((state) => [...state.keys()]));
  const unconflicted = new Map<number, number>();
  const conflicted = new Set<number>();
  for (const pair of pairs) {
    const events = new Set(states.map((state) => state.get(pair)));
    const [only] = events;
    if (events.size === 1 && only !== undefined) unconflicted.set(pair, only);
    else for (const event of events) if (event !== undefined) conflicted.add(event);
  }
  const full = conflicted.union(authDifference(dag, states));
  if (isV21) for (const event of subgraph(dag, conflicted)) full.add(event);

  const state = new Map(isV21 ? [] : unconflicted);
  const power = withCited(
    dag,
    [...full].filter((nid) => isPowerEvent(eventOf(dag, nid))),
    full,
  );
  authoriseInOrder(dag, powerOrder(dag, power), state);
  const remaining = [...full.difference(power)];
  authoriseInOrder(dag, mainlineOrder(dag, remaining, at(dag, state, "m.room.power_levels", "")), state);
  return new Map([...state, ...unconflicted]);
}

function eventOf(dag: TestDag, nid: number): RoomEvent {
  return dag.event(nid).roomEvent;
}

function at(dag: TestDag, state: StateMap, type: string, stateKey: string): number | undefined {
  const pair = dag.pair(type, stateKey);
  return pair === undefined ? undefined : state.get(pair);
}

function cited(dag: TestDag, nid: number, type: string, stateKey: string): number | undefined {
  return dag.authEventNids(nid).find((other) => {
    const event = eventOf(dag, other);
    return event.type === type && event.stateKey === stateKey;
  });
}

function chainOf(dag: TestDag, events: Iterable<number>): Set<number> {
  const chain = new Set(events);
  for (const event of chain) for (const authEvent of dag.authEventNids(event)) chain.add(authEvent);
  return chain;
}

function authDifference(dag: TestDag, states: readonly StateMap[]): Set<number> {
  const chains = states.map((state) => chainOf(dag, state.values()));
  const inSome = new Set(chains.flatMap((chain) => [...chain]));
  return new Set([...inSome].filter((event) => !chains.every((chain) => chain.has(event))));
}

function subgraph(dag: TestDag, conflicted: ReadonlySet<number>): number[] {
  const reaches = (event: number) => [...chainOf(dag, [event])].some((reached) => conflicted.has(reached));
  return [...chainOf(dag, conflicted)].filter(reaches);
}

function withCited(dag: TestDag, events: readonly number[], within: ReadonlySet<number>): Set<number> {
  const all = new Set(events);
  for (const event of all) {
    for (const authEvent of dag.authEventNids(event)) if (within.has(authEvent)) all.add(authEvent);
  }
  return all;
}

/** The room's create event, which no event of newer versions cites. */
function createOf(dag: TestDag): RoomEvent {
  return eventOf(dag, 0);
}

/** Always the least of those whose auth events have all been placed. */
function powerOrder(dag: TestDag, events: ReadonlySet<number>): number[] {
  const ordered: number[] = [];
  const left = new Set(events);
  const levelOf = (nid: number) => {
    const levels = cited(dag, nid, "m.room.power_levels", "");
    const powerLevels = levels === undefined ? undefined : eventOf(dag, levels);
    const isCreateCited =
      dag.version.roomIdIsCreateHash || cited(dag, nid, "m.room.create", "") !== undefined;
    if (!isCreateCited && nid !== 0) return 0;
    return powerLevelsOf(dag.version, createOf(dag), powerLevels).userLevel(eventOf(dag, nid).sender);
  };
  while (left.size > 0) {
    const free = [...left].filter((nid) => !dag.authEventNids(nid).some((other) => left.has(other)));
    const [next] = free.sort((x, y) => levelOf(y) - levelOf(x) || compareAge(dag, x, y));
    if (next === undefined) throw new Error("events cite each other in a circle");
    ordered.push(next);
    left.delete(next);
  }
  return ordered;
}

function mainlineOrder(dag: TestDag, events: readonly number[], newest: number | undefined): number[] {
  const mainline: number[] = [];
  const before = (nid: number) => cited(dag, nid, "m.room.power_levels", "");
  for (let nid = newest; nid !== undefined; nid = before(nid)) mainline.push(nid);
  const position = (event: number) => {
    let nid = before(event);
    while (nid !== undefined && !mainline.includes(nid)) nid = before(nid);
    return nid === undefined ? Number.MAX_SAFE_INTEGER : mainline.indexOf(nid);
  };
  return events.toSorted((x, y) => position(y) - position(x) || compareAge(dag, x, y));
}

/** By time, then by event ID. */
function compareAge(dag: TestDag, x: number, y: number): number {
  const [one, other] = [eventOf(dag, x), eventOf(dag, y)];
  return one.originServerTs - other.originServerTs || (one.eventId < other.eventId ? -1 : 1);
}

function authoriseInOrder(dag: TestDag, events: readonly number[], state: Map<number, number>): void {
  for (const nid of events) {
    const event = eventOf(dag, nid);
    const pair = dag.pairOf(nid);
    if (pair === undefined) continue;
    const get = (type: string, stateKey: string) => {
      if (dag.version.roomIdIsCreateHash && type === "m.room.create" && stateKey === "") return createOf(dag);
      const found = at(dag, state, type, stateKey) ?? acceptedCited(dag, nid, type, stateKey);
      return found === undefined ? undefined : eventOf(dag, found);
    };
    if (authorise(dag.version, event, { get }) === undefined) state.set(pair, nid);
  }
}

function acceptedCited(dag: TestDag, nid: number, type: string, stateKey: string): number | undefined {
  const found = cited(dag, nid, type, stateKey);
  return found === undefined || dag.event(found).rejected ? undefined : found;
}
