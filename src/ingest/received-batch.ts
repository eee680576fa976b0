import { type EventId, type ServerName, serverNameOf } from "../protocol/identifiers.ts";
import { stickyUntilTs } from "../protocol/sticky.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Pace } from "../telemetry/pace.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { PartialRooms } from "../state/partial-rooms.ts";
import type { StateResolver } from "../state/state-resolver.ts";
import type { StateMap, StateSnapshots } from "../state/state-snapshots.ts";
import type { NewEvent } from "../storage/commits.ts";
import { eventFlags, type EventStore } from "../storage/events.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { PendingStateEvent } from "../storage/state.ts";
import type { Authorisation, Refusal, StateLookup } from "./authorisation.ts";
import { type Batch, emptyBatch, pairNidFor } from "./batch.ts";
import { type AuthEvent, AuthEvents, eventBasics } from "./event-basics.ts";
import { boundedEnds, type GraphEnd } from "./bounded-ends.ts";
import { coveredEvents, type Followed, isShown, maxHiddenEvents } from "./covered-events.ts";
import { moveCurrentState } from "./current-state-move.ts";
import { cannotBeUndone, withMembersAmong } from "./partial-judging.ts";
import type { Receipt, ReceivedEvent } from "./received-event.ts";
import type { Redactions } from "./redactions.ts";
import { relationOf } from "./relation.ts";
import type { Extremity, HeadDraft } from "./room-head.ts";

export interface ReceivedBatchParts {
  readonly serverName: ServerName;
  readonly eventStore: EventStore;
  readonly events: EventReader;
  readonly names: NameCache;
  readonly snapshots: StateSnapshots;
  readonly resolver: StateResolver;
  readonly authorisation: Authorisation;
  readonly redactions: Redactions;
  readonly partialRooms: Pick<PartialRooms, "has">;
  readonly nextEventNid: () => number;
  readonly clock: Clock;
  readonly pace: Pace;
}

/**
 * How events take their place. `live`: after the room's newest. `join`: as the room's only extremity. `history`: before
 * events that are here already, so that nothing of what the room is now changes.
 */
export type Placement = "live" | "join" | "history";

interface Standing extends Followed {
  readonly stateAfter: number;
}

/** What an event rests on and builds on, all of it here. */
interface Ground {
  readonly prevs: readonly Standing[];
  readonly auth: readonly AuthEvent[];
  readonly stateBefore: number | null;
}

type Missing = Pick<Receipt, "missingPrev" | "missingAuth">;

/** Received events of one room on their way into its graph, each judged by what those before it have left. */
export class ReceivedBatch {
  readonly #parts: ReceivedBatchParts;
  readonly #draft: HeadDraft;
  readonly #placed = new Map<string, NewEvent & { readonly prevEventIds: readonly EventId[] }>();
  /** Of events in storage, which stay where they are while this one works. */
  readonly #standings = new Map<EventId, Standing>();
  readonly #authEvents: AuthEvents;
  readonly batch: Batch;

  constructor(parts: ReceivedBatchParts, draft: HeadDraft) {
    this.#parts = parts;
    this.#draft = draft;
    this.#authEvents = new AuthEvents(parts.eventStore, parts.events, this.#placed);
    this.batch = emptyBatch(draft);
  }

  /** Judges an event and gives it its place; see {@link Receipt}. */
  async add(received: ReceivedEvent, placement: Placement): Promise<Receipt> {
    const { event } = received;
    const { eventId } = event;
    const storedNid = await this.#parts.eventStore.nidOf(eventId);
    if (this.#placed.has(eventId) || (await this.#isPlaced(storedNid))) return { eventId, verdict: "known" };
    const isEarly = placement === "live" && this.#isEarly(received);
    const ground = await this.#ground(received);
    if (!("prevs" in ground)) return { eventId, verdict: "incomplete", ...ground };
    const rejection = await this.#rejection(received, ground, isEarly);
    const softFailure =
      rejection || placement !== "live" ? undefined : await this.#softFailure(received, ground, isEarly);
    const failure = rejection ? eventFlags.rejected : softFailure === undefined ? 0 : eventFlags.softFailed;
    // That it is not wanted stays so, whatever becomes known of the room.
    const ofPolicy = received.isUnwanted && placement === "live" ? eventFlags.softFailed : 0;
    const isPassing = isEarly && failure !== 0 && ofPolicy === 0;
    const flags = failure | ofPolicy | (isPassing ? eventFlags.early : 0) | passage(received);
    const eventNid = storedNid ?? this.#parts.nextEventNid();
    this.#parts.events.announce(eventNid, event);
    const row = await this.#place(received, ground, eventNid, flags, isEarly);
    if (isShown(flags) && placement !== "history") await this.#moveHead(row, placement);
    for (const redaction of [row.redaction, row.lateRedaction]) {
      if (redaction) await this.#parts.redactions.noteInSummary(this.batch, redaction);
    }
    const verdict = rejection ? "rejected" : softFailure === undefined ? "accepted" : "soft-failed";
    return { eventId, verdict, reason: rejection?.message ?? softFailure };
  }

  /** Whether all that an event follows has its place in the graph. */
  async hasAllPrevs(prevEventIds: readonly EventId[]): Promise<boolean> {
    for (const eventId of prevEventIds) {
      if (!(await this.#standing(eventId))) return false;
    }
    return true;
  }

  /** Whether an event that is stored has its place in the graph, or never will have one. */
  async #isPlaced(eventNid: number | undefined): Promise<boolean> {
    if (eventNid === undefined) return false;
    const { flags } = await this.#parts.events.stored(eventNid);
    return (flags & eventFlags.outlier) === 0;
  }

  /** Whether an event that another server tells of has come before all members of its room are known. */
  #isEarly({ event, isHandedOver, isRelayed }: ReceivedEvent): boolean {
    const { partialRooms, serverName } = this.#parts;
    if (isRelayed || !partialRooms.has(this.#draft.room.roomNid)) return false;
    return isHandedOver === true || serverNameOf(event.sender) !== serverName;
  }

  /** Finds what an event refers to, or tells what of it is missing. */
  async #ground({ event, toldStates }: ReceivedEvent): Promise<Ground | Missing> {
    const prevs: Standing[] = [];
    const missingPrev: EventId[] = [];
    for (const eventId of event.prevEventIds) {
      const standing = await this.#standing(eventId);
      if (standing) prevs.push(standing);
      else missingPrev.push(eventId);
    }
    const { auth, missingAuth } = await this.#authEvents.of(event);
    if (missingAuth.length > 0 || (missingPrev.length > 0 && !toldStates?.length))
      return { missingPrev, missingAuth };
    const states = prevs.map(({ stateAfter }) => stateAfter);
    for (const told of toldStates ?? []) states.push(await this.#snapshotOf(told));
    const stateBefore = states.length === 0 ? null : await this.#resolve(states);
    return { prevs, auth, stateBefore };
  }

  async #standing(eventId: EventId): Promise<Standing | undefined> {
    const placed = this.#placed.get(eventId);
    if (placed) return placed.stateAfter === null ? undefined : { ...placed, stateAfter: placed.stateAfter };
    const known = this.#standings.get(eventId);
    if (known) return known;
    const eventNid = await this.#parts.eventStore.nidOf(eventId);
    if (eventNid === undefined) return undefined;
    const { roomNid, stateAfter, flags } = await this.#parts.events.stored(eventNid);
    if (stateAfter === null || roomNid !== this.#draft.room.roomNid) return undefined;
    const { prevEventIds } = await this.#parts.events.roomEvent(eventNid);
    const standing = { eventNid, stateAfter, flags, prevEventIds };
    this.#standings.set(eventId, standing);
    return standing;
  }

  /** The room's own rules, by what the event rests on, and by the state before it. */
  async #rejection(
    { event }: ReceivedEvent,
    { auth, stateBefore }: Ground,
    isEarly: boolean,
  ): Promise<Refusal | undefined> {
    const { authorisation } = this.#parts;
    const { room } = this.#draft;
    const create = await this.#authEvents.createEventOf(room);
    const rejection = authorisation.byAuthEvents(room, event, auth, create);
    if (rejection) return rejection;
    const lookup = await this.#lookupFor(isEarly, auth, this.#lookupIn(stateBefore));
    return authorisation.byState(room, event, lookup);
  }

  #lookupFor(
    isEarly: boolean,
    auth: readonly AuthEvent[],
    lookup: StateLookup,
  ): Promise<StateLookup> | StateLookup {
    return isEarly ? withMembersAmong(this.#parts.names, auth, lookup) : lookup;
  }

  /** The same rules by the room's current state, so that nobody gets around a ban by an old place in the graph. */
  async #softFailure(
    { event, isUnwanted }: ReceivedEvent,
    { auth, stateBefore }: Ground,
    isEarly: boolean,
  ): Promise<string | undefined> {
    if (isUnwanted) return "The room's policy server does not want it.";
    if (isEarly && cannotBeUndone(event)) return "Not all members of its room are known.";
    if (stateBefore === this.#draft.snapshotNid) return undefined;
    const { room } = this.#draft;
    const lookup = await this.#lookupFor(isEarly, auth, (pair) => this.#draft.get(pair));
    const rejection = await this.#parts.authorisation.byState(room, event, lookup);
    return rejection?.message;
  }

  #lookupIn(snapshotNid: number | null): StateLookup {
    return (pair) => (snapshotNid === null ? undefined : this.#parts.snapshots.get(snapshotNid, pair));
  }

  /** Makes the event's row, and the state that it leaves behind. */
  async #place(
    received: ReceivedEvent,
    { prevs, auth, stateBefore }: Ground,
    eventNid: number,
    flags: number,
    isEarly: boolean,
  ): Promise<NewEvent> {
    const { names, redactions } = this.#parts;
    const { room } = this.#draft;
    const { event, isUnwanted } = received;
    const pairNid = await pairNidFor(this.batch, event, names);
    const basics = await eventBasics(names, room.roomNid, pairNid, received);
    const replaces = pairNid === null ? undefined : await this.#lookupIn(stateBefore)(pairNid);
    const shown = isShown(flags);
    const isRejected = (flags & eventFlags.rejected) !== 0;
    const pendingNid = (id: EventId) => this.#placed.get(id)?.eventNid;
    const effects = shown
      ? await redactions.effects(room, event, eventNid, this.#lookupIn(stateBefore), pendingNid)
      : undefined;
    const row: NewEvent = {
      ...basics,
      eventNid,
      stateBefore,
      stateAfter: isRejected ? stateBefore : await this.#stateAfter(stateBefore, pairNid, eventNid),
      roomState: null,
      flags,
      replaces: replaces ?? null,
      delayId: null,
      stickyUntilTs: isUnwanted ? undefined : stickyUntilTs(event, this.#parts.clock.nowMs()),
      inTimeline: shown,
      gapFollowers: await this.#gapFollowers(eventNid, event.prevEventIds, prevs),
      prevNids: prevs.map((prev) => prev.eventNid),
      authNids: auth.map((authEvent) => authEvent.eventNid),
      relation: relationOf(event.content),
      ...effects,
      // That cannot be undone either, and waits though its ban does not.
      redactsAllOf: isEarly ? undefined : effects?.redactsAllOf,
    };
    this.batch.events.push(row);
    this.#placed.set(event.eventId, { ...row, prevEventIds: event.prevEventIds });
    return row;
  }

  /**
   * The events by which an event follows others that are missing: itself, and those before it that are not shown, since a
   * gap before one of those has no other place in the timeline.
   */
  async #gapFollowers(
    eventNid: number,
    prevEventIds: readonly EventId[],
    prevs: readonly Standing[],
  ): Promise<number[]> {
    const followers = prevs.length < prevEventIds.length ? [eventNid] : [];
    const hidden = new Map<number, Standing>();
    const pending = [...prevs];
    for (let next = pending.pop(); next && hidden.size < maxHiddenEvents; next = pending.pop()) {
      if (isShown(next.flags) || hidden.has(next.eventNid)) continue;
      hidden.set(next.eventNid, next);
      const standings = await Promise.all(next.prevEventIds.map((id) => this.#standing(id)));
      const known = standings.filter((standing) => standing !== undefined);
      if (known.length < standings.length) followers.push(next.eventNid);
      pending.push(...known);
    }
    return followers;
  }

  async #stateAfter(
    stateBefore: number | null,
    pairNid: number | null,
    eventNid: number,
  ): Promise<number | null> {
    if (pairNid === null) return stateBefore;
    const row = await this.#parts.snapshots.with(stateBefore, new Map([[pairNid, eventNid]]));
    this.batch.snapshots.push(row);
    return row.snapshotNid;
  }

  /** A state that others told of, as a snapshot. It differs little from the room's state where that is known. */
  async #snapshotOf(told: StateMap): Promise<number> {
    const { snapshotNid, row } = await this.#parts.snapshots.of(told, this.#draft.snapshotNid);
    if (row) this.batch.snapshots.push(row);
    return snapshotNid;
  }

  #resolve(states: readonly number[]): Promise<number> {
    return this.#parts.resolver.resolve(this.#draft.room, states, {
      snapshots: this.batch.snapshots,
      stateEvents: this.batch.events.flatMap(pendingStateEvent),
    });
  }

  /** Makes an accepted event an extremity in place of those that it follows, and the room's state what it is then. */
  async #moveHead(row: NewEvent, placement: Placement): Promise<void> {
    const draft = this.#draft;
    const { eventNid, eventId, depth } = row;
    const prevEventIds = this.#placed.get(eventId)?.prevEventIds ?? [];
    const followed = (id: EventId) => this.#standing(id);
    const covered = placement === "join" ? undefined : await coveredEvents(prevEventIds, followed);
    const left = covered ? draft.extremities.filter((extremity) => !covered.has(extremity.eventNid)) : [];
    const newest = await this.#end({ eventNid, eventId, depth });
    const others = [];
    for (const extremity of left) others.push(await this.#end(extremity));
    const ends = boundedEnds(others, newest, left.length === draft.extremities.length);
    draft.extremities = ends.map(({ extremity }) => extremity);
    const states = ends.map(({ stateAfter }) => stateAfter).filter((state) => state !== undefined);
    const current = await this.#resolve(states);
    await moveCurrentState(this.#parts, this.batch, current);
    if (current !== row.stateAfter) this.#remember(row, current);
  }

  async #end(extremity: Extremity): Promise<GraphEnd> {
    return { extremity, stateAfter: (await this.#standing(extremity.eventId as EventId))?.stateAfter };
  }

  /** After a fork the room's state is not what any one event left behind: sync has to know it at every position. */
  #remember(row: NewEvent, roomState: number): void {
    this.batch.events[this.batch.events.length - 1] = { ...row, roomState };
  }
}

/** What state resolution looks at in an event that is not stored yet; nothing of one without a state pair. */
function pendingStateEvent(event: NewEvent): PendingStateEvent[] {
  const { eventNid, eventId, pairNid, flags, authNids, common, federation } = event;
  return pairNid === null ? [] : [{ eventNid, eventId, pairNid, flags, authNids, common, federation }];
}

/** Who has to tell other servers of an event, where that is not its sender's server. */
function passage({ isRelayed, isHandedOver }: ReceivedEvent): number {
  return (isRelayed ? eventFlags.relayed : 0) | (isHandedOver ? eventFlags.handedOver : 0);
}
