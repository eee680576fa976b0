import type { ReferencedEvent } from "../protocol/auth/authorise-stateless.ts";
import { type EventId, type ServerName, serverNameOf } from "../protocol/identifiers.ts";
import type { RoomEvent } from "../protocol/pdu.ts";
import { stickyUntilTs } from "../protocol/sticky.ts";
import { differenceOf } from "../state/delta.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { Room } from "../state/room-index.ts";
import type { StateResolver } from "../state/state-resolver.ts";
import type { StateMap, StateSnapshots } from "../state/state-snapshots.ts";
import type { AppliedRedaction, EventEffects, RestatedEvent } from "../storage/commits.ts";
import { eventFlags, type EventStore, type StoredEvent } from "../storage/events.ts";
import type { SnapshotRow } from "../storage/state.ts";
import type { Clock } from "../telemetry/clock.ts";
import { type Authorisation, createEventIdOf } from "./authorisation.ts";
import type { Redactions } from "./redactions.ts";
import { relationOf } from "./relation.ts";
import type { Extremity } from "./room-head.ts";

export interface GraphRestatementParts {
  readonly serverName: ServerName;
  readonly eventStore: Pick<EventStore, "nidOf" | "nidsOf">;
  readonly events: EventReader;
  readonly snapshots: StateSnapshots;
  readonly resolver: StateResolver;
  readonly authorisation: Authorisation;
  readonly redactions: Redactions;
  readonly clock: Clock;
}

interface GraphEvent {
  readonly stored: StoredEvent;
  readonly event: RoomEvent;
}

interface Restated {
  readonly restated: RestatedEvent;
  readonly prevEventIds: readonly EventId[];
}

/** An event that had one for coming early may have neither. */
const refusedEarly = eventFlags.early | eventFlags.rejected | eventFlags.softFailed;

/** Works out what the events of a stretch of a room's graph are by a new state before its first one. */
export class GraphRestatement {
  readonly #parts: GraphRestatementParts;
  readonly #room: Room;
  readonly #restated = new Map<EventId, Restated>();
  readonly snapshots: SnapshotRow[] = [];
  /** What the events take away that are shown only now. */
  readonly redactions: AppliedRedaction[] = [];
  extremities: readonly Extremity[] = [];
  #current: number | undefined;

  constructor(parts: GraphRestatementParts, room: Room) {
    this.#parts = parts;
    this.#room = room;
  }

  get events(): readonly RestatedEvent[] {
    return [...this.#restated.values()].map(({ restated }) => restated);
  }

  /** The room's state afterwards. */
  get current(): number {
    if (this.#current === undefined) throw new Error("the graph has not been restated");
    return this.#current;
  }

  /**
   * @param firstId the event before which the state is told
   * @param eventNids it and those that have come since
   */
  async restate(firstId: EventId, before: StateMap, eventNids: readonly number[]): Promise<void> {
    const byId = new Map<EventId, GraphEvent>();
    const events = await this.#parts.events.roomEvents(eventNids);
    const stored = await this.#parts.events.storedAll(eventNids);
    for (const [index, event] of events.entries()) {
      const row = stored[index];
      if (row) byId.set(event.eventId, { stored: row, event });
    }
    for (const { stored: row, event } of inGraphOrder(byId)) {
      const isFirst = event.eventId === firstId;
      const stateBefore = await this.#stateBefore(row, event, isFirst ? before : undefined);
      // What the room is when nothing of all that is allowed.
      this.#current ??= stateBefore ?? undefined;
      await this.#add(row, event, stateBefore);
    }
  }

  async #stateBefore(
    { stateBefore: known }: StoredEvent,
    event: RoomEvent,
    told: StateMap | undefined,
  ): Promise<number | null> {
    const { snapshots } = this.#parts;
    if (told) {
      const changes = known === null ? told : differenceOf(await snapshots.map(known), told);
      if (changes.size === 0) return known;
      const row = known === null ? snapshots.first(told) : await snapshots.derive(known, changes);
      this.snapshots.push(row);
      return row.snapshotNid;
    }
    const states: number[] = [];
    let isWhole = true;
    for (const eventId of event.prevEventIds) {
      const state = this.#restated.get(eventId)?.restated.stateAfter ?? (await this.#storedState(eventId));
      if (state === null) isWhole = false;
      else states.push(state);
    }
    // What follows an event that is not here has been told by others, with all members.
    if (!isWhole && known !== null) states.push(known);
    return states.length === 0 ? null : this.#resolve(states);
  }

  async #storedState(eventId: EventId): Promise<number | null> {
    const eventNid = await this.#parts.eventStore.nidOf(eventId);
    return eventNid === undefined ? null : (await this.#parts.events.stored(eventNid)).stateAfter;
  }

  #resolve(states: readonly number[]): Promise<number> {
    const pending = { snapshots: this.snapshots, stateEvents: [] };
    return this.#parts.resolver.resolve(this.#room, states, pending);
  }

  /** Judges an event by the state before it, and works out the one after it. */
  async #add(stored: StoredEvent, event: RoomEvent, stateBefore: number | null): Promise<void> {
    const { snapshots } = this.#parts;
    const { eventNid, pairNid, flags: known } = stored;
    const isRejected = await this.#isRejected(event, stateBefore);
    const isSoftFailed = !isRejected && (await this.#isSoftFailed(event, stateBefore));
    const kept = known & ~((known & eventFlags.early) === 0 ? eventFlags.rejected : refusedEarly);
    const failure = isRejected ? eventFlags.rejected : isSoftFailed ? eventFlags.softFailed : 0;
    const flags = kept | failure;
    const inTimeline = (flags & (eventFlags.rejected | eventFlags.softFailed)) === 0;
    let stateAfter = stateBefore;
    let replaces: number | undefined;
    if (pairNid !== null) {
      replaces = stateBefore === null ? undefined : await snapshots.get(stateBefore, pairNid);
      if (!isRejected) {
        const change = new Map([[pairNid, eventNid]]);
        const row =
          stateBefore === null ? snapshots.first(change) : await snapshots.derive(stateBefore, change);
        this.snapshots.push(row);
        stateAfter = row.snapshotNid;
      }
    }
    const restated: RestatedEvent = {
      eventNid,
      stateBefore,
      stateAfter,
      roomState: null,
      flags,
      replaces: replaces ?? null,
      inTimeline,
      ...(inTimeline && (await this.#effects(stored, event, stateBefore))),
    };
    this.#restated.set(event.eventId, { restated, prevEventIds: event.prevEventIds });
    if (inTimeline) await this.#moveHead(restated, event);
  }

  /** What could not be done while it might have had to be undone, and what a newly shown event brings. */
  async #effects(
    stored: StoredEvent,
    event: RoomEvent,
    stateBefore: number | null,
  ): Promise<Pick<RestatedEvent, "effects">> {
    const { redactions, snapshots, clock, serverName } = this.#parts;
    if (stored.position !== null && serverNameOf(event.sender) === serverName) return {};
    const lookup = async (pair: number) =>
      stateBefore === null ? undefined : snapshots.get(stateBefore, pair);
    if (stored.position !== null) {
      const redactsAllOf = await redactions.sweptBy(this.#room, event, lookup);
      return redactsAllOf === undefined ? {} : { effects: { redactsAllOf } };
    }
    const effects: EventEffects = {
      ...(await redactions.effects(this.#room, event, stored.eventNid, lookup)),
      relation: relationOf(event.content),
      stickyUntilTs: stickyUntilTs(event, clock.nowMs()),
    };
    for (const redaction of [effects.redaction, effects.lateRedaction]) {
      if (redaction) this.redactions.push(redaction);
    }
    return { effects };
  }

  async #isRejected(event: RoomEvent, stateBefore: number | null): Promise<boolean> {
    const { authorisation, snapshots } = this.#parts;
    const auth: ReferencedEvent[] = [];
    for (const eventId of event.authEventIds) {
      const referenced = await this.#referenced(eventId);
      if (referenced) auth.push(referenced);
    }
    const createId = createEventIdOf(this.#room);
    const create = createId === undefined ? undefined : await this.#referenced(createId);
    const lookup = (pair: number) => (stateBefore === null ? undefined : snapshots.get(stateBefore, pair));
    const rejection =
      authorisation.byAuthEvents(this.#room, event, auth, create) ??
      (await authorisation.byState(this.#room, event, lookup));
    return rejection !== undefined;
  }

  /** By the room's state when the event came: that could not be told as long as members of it were missing. */
  async #isSoftFailed(event: RoomEvent, stateBefore: number | null): Promise<boolean> {
    const { authorisation, snapshots, serverName } = this.#parts;
    const current = this.#current;
    if (current === undefined || current === stateBefore) return false;
    if (serverNameOf(event.sender) === serverName) return false;
    const lookup = (pair: number) => snapshots.get(current, pair);
    return (await authorisation.byState(this.#room, event, lookup)) !== undefined;
  }

  async #referenced(eventId: EventId): Promise<ReferencedEvent | undefined> {
    const eventNid = await this.#parts.eventStore.nidOf(eventId);
    if (eventNid === undefined) return undefined;
    const { flags } = this.#restated.get(eventId)?.restated ?? (await this.#parts.events.stored(eventNid));
    const event = await this.#parts.events.roomEvent(eventNid);
    return { event, rejected: (flags & eventFlags.rejected) !== 0 };
  }

  async #moveHead(restated: RestatedEvent, { eventId, depth, prevEventIds }: RoomEvent): Promise<void> {
    const covered = this.#covered(prevEventIds);
    const left = this.extremities.filter((extremity) => !covered.has(extremity.eventId));
    this.extremities = [...left, { eventNid: restated.eventNid, eventId, depth }];
    const states: number[] = [];
    for (const extremity of this.extremities) {
      const state = this.#restated.get(extremity.eventId as EventId)?.restated.stateAfter;
      if (state !== undefined && state !== null) states.push(state);
    }
    if (states.length === 0) return;
    const current = await this.#resolve(states);
    this.#current = current;
    if (current === restated.stateAfter) return;
    this.#restated.set(eventId, { restated: { ...restated, roomState: current }, prevEventIds });
  }

  /** The events that an event takes the place of: those that it follows, also by way of events that are not shown. */
  #covered(prevEventIds: readonly EventId[]): ReadonlySet<string> {
    const covered = new Set<string>();
    const pending = [...prevEventIds];
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (covered.has(id)) continue;
      covered.add(id);
      const prev = this.#restated.get(id);
      if (prev && !prev.restated.inTimeline) pending.push(...prev.prevEventIds);
    }
    return covered;
  }
}

/** Each after those among them that it follows. */
function inGraphOrder(byId: ReadonlyMap<EventId, GraphEvent>): GraphEvent[] {
  const ordered = new Set<GraphEvent>();
  const entered = new Set<EventId>();
  for (const start of byId.keys()) {
    const pending = [start];
    for (let id = pending.at(-1); id !== undefined; id = pending.at(-1)) {
      const node = byId.get(id);
      const next = node?.event.prevEventIds.filter((prev) => byId.has(prev) && !entered.has(prev)) ?? [];
      entered.add(id);
      if (next.length > 0) {
        pending.push(...next);
        continue;
      }
      pending.pop();
      if (node) ordered.add(node);
    }
  }
  return [...ordered];
}
