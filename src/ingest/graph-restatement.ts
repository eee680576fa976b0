import { type EventId, type ServerName, serverNameOf } from "../protocol/identifiers.ts";
import type { RoomEvent } from "../protocol/pdu.ts";
import { stickyUntilTs } from "../protocol/sticky.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { Room } from "../state/room-index.ts";
import type { StateResolver } from "../state/state-resolver.ts";
import type { StateMap, StateSnapshots } from "../state/state-snapshots.ts";
import type { AppliedRedaction, EventEffects, RestatedEvent } from "../storage/commits.ts";
import { eventFlags, type EventStore, refusedEarly, type StoredEvent } from "../storage/events.ts";
import type { SnapshotRow } from "../storage/state.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Authorisation } from "./authorisation.ts";
import { coveredEvents, isShown } from "./covered-events.ts";
import { AuthEvents } from "./event-basics.ts";
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

type Restated = RestatedEvent & { readonly prevEventIds: readonly EventId[] };

/** Works out what the events of a stretch of a room's graph are by a new state before its first one. */
export class GraphRestatement {
  readonly #parts: GraphRestatementParts;
  readonly #room: Room;
  readonly #restated = new Map<EventId, Restated>();
  readonly #authEvents: AuthEvents;
  readonly snapshots: SnapshotRow[] = [];
  /** What the events take away that are shown only now. */
  readonly redactions: AppliedRedaction[] = [];
  extremities: readonly Extremity[] = [];
  #current: number | undefined;

  constructor(parts: GraphRestatementParts, room: Room) {
    this.#parts = parts;
    this.#room = room;
    this.#authEvents = new AuthEvents(parts.eventStore, parts.events, this.#restated);
  }

  get events(): readonly RestatedEvent[] {
    return [...this.#restated.values()].map(({ prevEventIds: _prevEventIds, ...restated }) => restated);
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
    if (told) {
      const { snapshotNid, row } = await this.#parts.snapshots.of(told, known);
      if (row) this.snapshots.push(row);
      return snapshotNid;
    }
    const states: number[] = [];
    let isWhole = true;
    for (const eventId of event.prevEventIds) {
      const state = this.#restated.get(eventId)?.stateAfter ?? (await this.#storedState(eventId));
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
    const inTimeline = isShown(flags);
    let stateAfter = stateBefore;
    let replaces: number | undefined;
    if (pairNid !== null) {
      replaces = stateBefore === null ? undefined : await snapshots.get(stateBefore, pairNid);
      if (!isRejected) {
        const row = await snapshots.with(stateBefore, new Map([[pairNid, eventNid]]));
        this.snapshots.push(row);
        stateAfter = row.snapshotNid;
      }
    }
    const restated: Restated = {
      eventNid,
      stateBefore,
      stateAfter,
      roomState: null,
      flags,
      replaces: replaces ?? null,
      inTimeline,
      ...(inTimeline && (await this.#effects(stored, event, stateBefore))),
      prevEventIds: event.prevEventIds,
    };
    this.#restated.set(event.eventId, restated);
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
    const { auth } = await this.#authEvents.of(event);
    const create = await this.#authEvents.createEventOf(this.#room);
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

  async #moveHead(restated: Restated, { eventId, depth, prevEventIds }: RoomEvent): Promise<void> {
    const covered = await coveredEvents(prevEventIds, (id) => this.#restated.get(id));
    const left = this.extremities.filter((extremity) => !covered.has(extremity.eventNid));
    this.extremities = [...left, { eventNid: restated.eventNid, eventId, depth }];
    const states: number[] = [];
    for (const extremity of this.extremities) {
      const state = this.#restated.get(extremity.eventId as EventId)?.stateAfter;
      if (state !== undefined && state !== null) states.push(state);
    }
    if (states.length === 0) return;
    const current = await this.#resolve(states);
    this.#current = current;
    if (current === restated.stateAfter) return;
    this.#restated.set(eventId, { ...restated, roomState: current });
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
