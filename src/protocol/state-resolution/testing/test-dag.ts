import { authEventTypesFor } from "../../auth/auth-event-types.ts";
import { type Draft, testEvent, user } from "../../auth/testing/test-event.ts";
import type { EventId } from "../../identifiers.ts";
import type { JsonObject } from "../../json.ts";
import type { RoomEvent } from "../../pdu.ts";
import type { RoomVersion } from "../../room-versions.ts";
import { resolveState } from "../resolve-state.ts";
import { type Succession, successionAfter } from "../succession.ts";
import type { ResolvableEvent, ResolutionSource, StateMap } from "../types.ts";

/** A room's events and their order, kept in memory. */
export class TestDag implements ResolutionSource {
  readonly version: RoomVersion;
  readonly #events: ResolvableEvent[] = [];
  readonly #nids = new Map<string, number>();
  readonly #pairs = new Map<string, number>();
  readonly #successions: Succession[] = [];

  constructor(version: RoomVersion) {
    this.version = version;
  }

  get size(): number {
    return this.#events.length;
  }

  /** Takes in an event whose auth events are there already. */
  add(roomEvent: RoomEvent): number {
    const nid = this.#events.length;
    const authEventNids = roomEvent.authEventIds.map((id) => this.nid(id));
    this.#events.push({ nid, roomEvent, authEventNids, rejected: false });
    this.#nids.set(roomEvent.eventId, nid);
    if (roomEvent.stateKey !== undefined) this.place(roomEvent.type, roomEvent.stateKey);
    const predecessor = authEventNids.find((authNid) => this.pairOf(authNid) === this.pairOf(nid));
    this.#successions.push(successionAfter(this, predecessor));
    return nid;
  }

  /** Marks an event as rejected. */
  reject(id: string): void {
    const event = this.event(this.nid(id));
    this.#events[event.nid] = { ...event, rejected: true };
  }

  /** The integer of a pair, which is made up if need be. */
  place(type: string, stateKey: string): number {
    const name = JSON.stringify([type, stateKey]);
    const pair = this.#pairs.get(name) ?? this.#pairs.size;
    this.#pairs.set(name, pair);
    return pair;
  }

  nid(id: string): number {
    const nid = this.#nids.get(id) ?? this.#nids.get(`${id}:example.org`);
    if (nid === undefined) throw new Error(`The DAG has no event ${id}.`);
    return nid;
  }

  event(nid: number): ResolvableEvent {
    const event = this.#events[nid];
    if (event === undefined) throw new Error(`The DAG has no event ${nid}.`);
    return event;
  }

  events(nids: readonly number[]): ResolvableEvent[] {
    return nids.map((nid) => this.event(nid));
  }

  pair(type: string, stateKey: string): number | undefined {
    return this.#pairs.get(JSON.stringify([type, stateKey]));
  }

  authEventNids(nid: number): readonly number[] {
    return this.event(nid).authEventNids;
  }

  pairOf(nid: number): number | undefined {
    const { type, stateKey } = this.event(nid).roomEvent;
    return stateKey === undefined ? undefined : this.pair(type, stateKey);
  }

  succession(nid: number): Succession {
    const succession = this.#successions[nid];
    if (succession === undefined) throw new Error(`The DAG has no event ${nid}.`);
    return succession;
  }

  /** A branch that starts from the resolution of others. */
  merge(...branches: readonly TestBranch[]): TestBranch {
    const states = branches.map((branch) => branch.state);
    return new TestBranch(
      this,
      resolveState(this.version, states, this),
      branches.flatMap((branch) => branch.tips),
    );
  }
}

/** A line of events, and the state after them. Whatever is sent is taken, allowed or not. */
export class TestBranch {
  readonly dag: TestDag;
  state: Map<number, number>;
  tips: readonly EventId[];

  constructor(dag: TestDag, state: StateMap = new Map(), tips: readonly EventId[] = []) {
    this.dag = dag;
    this.state = new Map(state);
    this.tips = tips;
  }

  fork(): TestBranch {
    return new TestBranch(this.dag, this.state, this.tips);
  }

  /** Sends an event that rests on the state of this branch. */
  send(draft: Draft): TestBranch {
    return this.sendEvent(this.preview(draft));
  }

  /** The event that `send` would send. */
  preview(draft: Draft): RoomEvent {
    const { version } = this.dag;
    const auth = authEventTypesFor(version, testEvent(version, draft)).flatMap(([type, key]) => {
      const nid = this.#nidAt(type, key);
      return nid === undefined ? [] : [this.dag.event(nid).roomEvent.eventId];
    });
    return testEvent(version, { prev: this.tips, auth, ...draft });
  }

  /** Sends an event as it is. */
  sendEvent(event: RoomEvent): TestBranch {
    const nid = this.dag.add(event);
    this.tips = [event.eventId];
    if (event.stateKey !== undefined) this.state.set(this.dag.place(event.type, event.stateKey), nid);
    return this;
  }

  member(sender: string, target: string, membership: string, more: Partial<Draft> = {}): TestBranch {
    return this.send({
      type: "m.room.member",
      sender,
      key: user(target),
      ...more,
      content: { membership, ...more.content },
    });
  }

  powerLevels(sender: string, users: JsonObject, more: Partial<Draft> = {}): TestBranch {
    return this.send({
      type: "m.room.power_levels",
      sender,
      key: "",
      ...more,
      content: { users, ...more.content },
    });
  }

  joinRule(sender: string, joinRule: string, more: Partial<Draft> = {}): TestBranch {
    return this.send({
      type: "m.room.join_rules",
      sender,
      key: "",
      ...more,
      content: { join_rule: joinRule },
    });
  }

  topic(sender: string, topic: string, more: Partial<Draft> = {}): TestBranch {
    return this.send({ type: "m.room.topic", sender, key: "", ...more, content: { topic } });
  }

  /** The ID of the event in a place of the state, without its sigil. */
  at(type: string, key = ""): string | undefined {
    const nid = this.#nidAt(type, key);
    return nid === undefined ? undefined : this.dag.event(nid).roomEvent.eventId.slice(1).replace(/:.*/, "");
  }

  #nidAt(type: string, key: string): number | undefined {
    const pair = this.dag.pair(type, key);
    return pair === undefined ? undefined : this.state.get(pair);
  }
}
