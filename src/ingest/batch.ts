import type { RoomId, ServerName } from "../protocol/identifiers.ts";
import type { RoomEvent } from "../protocol/pdu.ts";
import { stickyUntilTs } from "../protocol/sticky.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { StateSnapshots } from "../state/state-snapshots.ts";
import type { CurrentMembership, FilledGap, NewEvent } from "../storage/commits.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { NumberedPair } from "../storage/names.ts";
import type { SnapshotRow } from "../storage/state.ts";
import type { Clock } from "../telemetry/clock.ts";
import { membershipOf } from "./current-state-move.ts";
import { DraftState } from "./draft-state.ts";
import { eventBasics } from "./event-basics.ts";
import type { EventPolicy } from "./event-policy.ts";
import type { LocalEvent, LocalEventMaker, PlacedEvent } from "./local-event.ts";
import type { Redactions } from "./redactions.ts";
import { relationOf } from "./relation.ts";
import { SummaryDraft } from "./summary-draft.ts";
import type { HeadDraft } from "./room-head.ts";

/** Events that were built on a draft and wait for their commit. */
export interface Batch {
  readonly draft: HeadDraft;
  readonly events: NewEvent[];
  /** Of the events, those that may not be in storage yet. */
  readonly pairs: NumberedPair[];
  readonly snapshots: SnapshotRow[];
  readonly memberships: CurrentMembership[];
  readonly summary: SummaryDraft;
  filledGap?: FilledGap | undefined;
}

export interface BatchBuilderParts {
  readonly serverName: ServerName;
  readonly events: EventReader;
  readonly snapshots: StateSnapshots;
  readonly names: NameCache;
  readonly maker: LocalEventMaker;
  /** Absent where nobody but the room's own rules has a say. */
  readonly policy: EventPolicy | undefined;
  readonly redactions: Redactions;
  readonly nextEventNid: () => number;
  readonly clock: Clock;
}

/** @param snapshots new ones that the batch is to store */
export function emptyBatch(draft: HeadDraft, snapshots: SnapshotRow[] = []): Batch {
  return { draft, events: [], pairs: [], snapshots, memberships: [], summary: new SummaryDraft() };
}

/**
 * The pair of an event that comes into a batch. One that is named for the first time is stored with the batch: nothing has
 * to wait for it.
 */
export async function pairNidFor(
  { pairs }: Batch,
  { type, stateKey }: RoomEvent,
  names: Pick<NameCache, "numberStatePair" | "unstoredPairs">,
): Promise<number | null> {
  if (stateKey === undefined) return null;
  const pairNid = await names.numberStatePair(type, stateKey);
  pairs.push(...names.unstoredPairs([{ type, stateKey }]));
  return pairNid;
}

/** Builds events one on top of the other, with everything that their commit stores. */
export class BatchBuilder {
  readonly #parts: BatchBuilderParts;

  constructor(parts: BatchBuilderParts) {
    this.#parts = parts;
  }

  /** @throws MatrixError when the rules refuse an event; nothing is left of the others then */
  async build(draft: HeadDraft, locals: readonly LocalEvent[], roomId: RoomId | undefined): Promise<Batch> {
    const batch = emptyBatch(draft);
    try {
      let currentRoomId = roomId;
      for (const local of locals) {
        const placed = await this.#parts.maker.make(local, draft, currentRoomId);
        await this.approve(draft, placed);
        currentRoomId ??= placed.built.event.roomId;
        await this.#add(batch, local, placed);
      }
      return batch;
    } catch (error) {
      this.discard(batch);
      throw error;
    }
  }

  /** Asks those who have a say beside the room's rules. @throws MatrixError when they refuse the event */
  async approve(draft: HeadDraft, { built }: PlacedEvent): Promise<void> {
    const { policy, names, events } = this.#parts;
    await policy?.approve(draft.room, built, new DraftState(draft, names, events));
  }

  /** Forgets a batch that will not be stored. */
  discard(batch: Batch): void {
    discardBatch(batch, this.#parts.snapshots, this.#parts.events);
  }

  /** Puts a built event on top of the draft. */
  async #add(batch: Batch, local: LocalEvent, { built, prevNids, authNids }: PlacedEvent): Promise<void> {
    const { names, clock, redactions } = this.#parts;
    const { draft } = batch;
    const { event } = built;
    const eventNid = this.#parts.nextEventNid();
    const pairNid = await pairNidFor(batch, event, names);
    const basics = await eventBasics(names, draft.room.roomNid, pairNid, built);
    const redaction = await redactions.of(draft.room, event, (pair) => draft.get(pair));
    if (redaction) await redactions.noteInSummary(batch, redaction);
    const sweptUser = await redactions.sweptBy(draft.room, event, (pair) => draft.get(pair));
    const stateBefore = draft.snapshotNid;
    const replaces = pairNid === null ? null : ((await draft.get(pairNid)) ?? null);
    if (pairNid !== null) await this.#moveState(batch, pairNid, eventNid, replaces);
    const { type, stateKey, content, sender } = event;
    if (stateKey !== undefined) batch.summary.add({ type, stateKey, content, sender }, eventNid);
    if (event.type === "m.room.member")
      batch.memberships.push(await membershipOf(this.#parts, event, eventNid));
    batch.events.push({
      ...basics,
      eventNid,
      stateBefore,
      stateAfter: draft.snapshotNid,
      roomState: null,
      flags: 0,
      replaces,
      delayId: local.delayId ?? null,
      stickyUntilTs: stickyUntilTs(event, clock.nowMs()),
      finalisedTs: local.delayId === undefined ? undefined : clock.nowMs(),
      inTimeline: local.isUnseen !== true,
      prevNids,
      authNids,
      transaction: local.transaction && {
        ...local.transaction,
        targetId: local.transaction.targetId ?? "",
        createdTs: clock.nowMs(),
      },
      relation: relationOf(event.content),
      redaction,
      awaitedTarget: redaction ? undefined : event.redacts,
      redactsAllOf: sweptUser,
    });
    const left = draft.extremities.filter((extremity) => !prevNids.includes(extremity.eventNid));
    draft.extremities = [...left, { eventNid, eventId: event.eventId, depth: event.depth }];
    this.#parts.events.announce(eventNid, event);
  }

  async #moveState(
    { draft, snapshots }: Batch,
    pairNid: number,
    eventNid: number,
    before: number | null,
  ): Promise<void> {
    const row = await this.#parts.snapshots.with(draft.snapshotNid, new Map([[pairNid, eventNid]]));
    snapshots.push(row);
    draft.set(pairNid, eventNid, before ?? undefined);
    draft.snapshotNid = row.snapshotNid;
  }
}

/** Forgets what was announced of a batch that will not be stored. */
export function discardBatch(batch: Batch, snapshots: StateSnapshots, events: EventReader): void {
  snapshots.settled(batch.snapshots, false);
  for (const { eventNid } of batch.events) events.settled(eventNid, undefined);
}
