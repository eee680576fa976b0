import type { EventReader } from "../../state/event-reader.ts";
import type { StateMap, StateSnapshots } from "../../state/state-snapshots.ts";
import type { StateDelta } from "../../state/delta.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { Pace } from "../../telemetry/pace.ts";
import type { EventPresenter } from "../../timeline/event-presenter.ts";
import type { MemberEvents } from "../../timeline/member-events.ts";
import type { StateRendering, StateTexts } from "../../timeline/state-texts.ts";
import type { StateEntries } from "../state-difference.ts";
import type { TimelineWindow } from "../timeline-window.ts";
import type { RequiredState } from "./required-state.ts";
import type { StateRule } from "./state-rules.ts";

/** State events by state pair, as integer IDs; without an event, the pair is no longer part of the state. */
export type StateChoice = ReadonlyMap<number, number | undefined>;

export interface RoomStateParts {
  readonly snapshots: StateSnapshots;
  readonly events: EventReader;
  readonly names: NameCache;
  readonly presenter: EventPresenter;
  readonly members: MemberEvents;
  readonly stateTexts: StateTexts;
}

/** Rules without wildcards in two: what they want of members, and the rest, which is the same text for many clients. */
interface SplitRules {
  readonly members: readonly StateRule[];
  readonly rest: StateRendering;
}

const nothing: StateDelta = new Map();
const entriesAtOnce = 200;

/** Chooses the state that a client gets of a room (MSC4186, `required_state`). */
export class RoomStates {
  readonly #parts: RoomStateParts;
  readonly #split = new WeakMap<RequiredState, SplitRules>();

  constructor(parts: RoomStateParts) {
    this.#parts = parts;
  }

  /** What of a whole state the rules let pass, but what `besides` lets pass too. */
  async chosen(
    snapshotNid: number | null,
    required: RequiredState,
    pace: Pace,
    besides?: RequiredState,
  ): Promise<Map<number, number>> {
    if (snapshotNid === null) return new Map();
    const { pairs } = required;
    if (!pairs) return this.#byRules(await this.#parts.snapshots.map(snapshotNid), required, pace, besides);
    const wanted = besides ? pairs.filter(([type, stateKey]) => !besides.matches(type, stateKey)) : pairs;
    return this.#ofPairs(snapshotNid, wanted);
  }

  async #ofPairs(snapshotNid: number, pairs: readonly StateRule[]): Promise<Map<number, number>> {
    const chosen = new Map<number, number>();
    for (const [type, stateKey] of pairs) {
      const pairNid = await this.#parts.names.findStatePair(type, stateKey);
      const eventNid =
        pairNid === undefined ? undefined : await this.#parts.snapshots.get(snapshotNid, pairNid);
      if (pairNid !== undefined && eventNid !== undefined) chosen.set(pairNid, eventNid);
    }
    return chosen;
  }

  /** Equal for rules by which `shared` gives the same. */
  sharedRules(required: RequiredState): string {
    return `${required.isLazy} ${this.#splitRules(required)?.rest.name ?? ""}`;
  }

  /**
   * What clients get alike that are new to a room: what rules without wildcards want, but for members that they name.
   * @param lazy members that are loaded lazily, by state pair
   * @returns events as JSON, joined by commas
   */
  async shared(
    roomNid: number,
    snapshotNid: number,
    required: RequiredState,
    lazy: StateEntries,
    pace: Pace,
  ): Promise<string> {
    const texts = await this.texts(lazy, pace);
    const split = this.#splitRules(required);
    if (split) {
      const rest = await this.#parts.stateTexts.of(roomNid, snapshotNid, split.rest, pace);
      if (rest.length > 0) texts.push(rest.toString());
    }
    return texts.join(",");
  }

  /** What one client gets beside that. */
  async own(
    snapshotNid: number,
    required: RequiredState,
    lazy: StateEntries,
    pace: Pace,
  ): Promise<Map<number, number>> {
    const split = this.#splitRules(required);
    const own = split
      ? await this.#ofPairs(snapshotNid, split.members)
      : await this.chosen(snapshotNid, required, pace);
    for (const pairNid of lazy.keys()) own.delete(pairNid);
    return own;
  }

  #splitRules(required: RequiredState): SplitRules | undefined {
    const known = this.#split.get(required);
    const { pairs } = required;
    if (known || !pairs) return known;
    const { members = [], rest = [] } = Object.groupBy(pairs, ([type]) =>
      type === "m.room.member" ? "members" : "rest",
    );
    const name = JSON.stringify(rest);
    const split = { members, rest: { name, pairs: rest, includes: () => true } };
    this.#split.set(required, split);
    return split;
  }

  async #byRules(
    state: StateMap,
    required: RequiredState,
    pace: Pace,
    besides: RequiredState | undefined,
  ): Promise<Map<number, number>> {
    const chosen = new Map<number, number>();
    let looked = 0;
    for (const [pairNid, eventNid] of state) {
      const { type, stateKey } = await this.#parts.names.statePair(pairNid);
      if (required.matches(type, stateKey) && !besides?.matches(type, stateKey))
        chosen.set(pairNid, eventNid);
      looked += 1;
      if (looked % entriesAtOnce === 0) await pace.breathe();
    }
    return chosen;
  }

  /** How a room's state has changed. */
  difference(earlier: number | null, later: number | null): Promise<StateDelta> | StateDelta {
    if (earlier === later || later === null) return nothing;
    return earlier === null
      ? this.#parts.snapshots.map(later)
      : this.#parts.snapshots.difference(earlier, later);
  }

  /**
   * What of a change the rules let pass.
   * @param withMembers whether every change of a member is wanted
   */
  async chosenOf(
    change: StateDelta,
    required: RequiredState,
    withMembers: boolean,
  ): Promise<Map<number, number | undefined>> {
    const chosen = new Map<number, number | undefined>();
    for (const [pairNid, eventNid] of change) {
      const { type, stateKey } = await this.#parts.names.statePair(pairNid);
      const isWanted = (withMembers && type === "m.room.member") || required.matches(type, stateKey);
      if (isWanted) chosen.set(pairNid, eventNid);
    }
    return chosen;
  }

  /**
   * The members that go with a timeline (MSC4186, "Lazy loaded memberships"): senders, and targets of membership events.
   * @param got what the client has already
   */
  async lazyMembers(
    snapshotNid: number | null,
    { events }: TimelineWindow,
    got: ReadonlyMap<number, number> | undefined,
  ): Promise<Map<number, number>> {
    if (snapshotNid === null) return new Map();
    const members = await this.#parts.members.of(snapshotNid, events);
    for (const { pairNid } of events) {
      if (pairNid === null || members.has(pairNid)) continue;
      const { type } = await this.#parts.names.statePair(pairNid);
      if (type !== "m.room.member") continue;
      const eventNid = await this.#parts.snapshots.get(snapshotNid, pairNid);
      if (eventNid !== undefined) members.set(pairNid, eventNid);
    }
    for (const [pairNid, eventNid] of members) if (got?.get(pairNid) === eventNid) members.delete(pairNid);
    return members;
  }

  /** A choice as JSON texts; of what is gone only its type and state key. */
  async texts(choice: StateChoice, pace: Pace): Promise<string[]> {
    const eventNids = [...choice.values()].filter((nid) => nid !== undefined);
    const texts: string[] = [];
    for (let start = 0; start < eventNids.length; start += entriesAtOnce) {
      const events = await this.#parts.events.storedAll(eventNids.slice(start, start + entriesAtOnce));
      texts.push(...(await this.#parts.presenter.presentState(events)));
      await pace.breathe();
    }
    for (const [pairNid, eventNid] of choice) {
      if (eventNid !== undefined) continue;
      const { type, stateKey } = await this.#parts.names.statePair(pairNid);
      texts.push(JSON.stringify({ type, state_key: stateKey }));
    }
    return texts;
  }
}
