import type { EventCommit, EventRelation, NewEvent, NewTransaction } from "../commits.ts";
import type { Database } from "../database.ts";

export const roomNid = 1;
const snapshotNid = 1;

export interface FixtureEvent {
  readonly eventNid: number;
  readonly senderNid?: number;
  readonly typeNid?: number;
  readonly pairNid?: number;
  readonly originServerTs?: number;
  readonly relation?: Omit<EventRelation, "key">;
  /** The event whose content it takes away. */
  readonly redacts?: number;
  readonly inTimeline?: boolean;
  readonly redactsAllOf?: number;
  readonly roomState?: number;
  readonly transaction?: NewTransaction;
  readonly delayId?: string;
  readonly finalisedTs?: number;
  readonly stickyUntilTs?: number;
  readonly flags?: number;
}

export function eventIdOf(eventNid: number): string {
  return `$${eventNid}`;
}

/** Commits events to a room that is made with the first of them. Returns their positions. */
export async function commitEvents(
  database: Database,
  events: readonly FixtureEvent[],
  more: Partial<EventCommit> = {},
): Promise<(number | null)[]> {
  const isNew = (await database.stores.rooms.byNid(roomNid)) === undefined;
  const positions = await database.stores.commits.commit({
    roomNid,
    ...(isNew && { newRoom: { roomId: "!room:hearth.test", version: "10" } }),
    events: events.map(newEvent),
    snapshots: isNew ? [{ snapshotNid, parentNid: null, height: 0, delta: new Uint8Array() }] : [],
    head: { extremities: [], currentSnapshot: snapshotNid },
    memberships: [],
    ...more,
  });
  if (!positions) throw new Error("the events were not stored");
  return positions;
}

export function newEvent(event: FixtureEvent): NewEvent {
  const { eventNid, relation, redacts } = event;
  return {
    eventNid,
    eventId: eventIdOf(eventNid),
    roomNid,
    typeNid: event.typeNid ?? 1,
    pairNid: event.pairNid ?? null,
    senderNid: event.senderNid ?? 1,
    depth: eventNid,
    originServerTs: event.originServerTs ?? eventNid,
    stateBefore: snapshotNid,
    stateAfter: snapshotNid,
    roomState: event.roomState ?? null,
    flags: event.flags ?? 0,
    replaces: null,
    delayId: event.delayId ?? null,
    finalisedTs: event.finalisedTs,
    stickyUntilTs: event.stickyUntilTs,
    common: `"content":{}`,
    federation: `"depth":1`,
    inTimeline: event.inTimeline ?? true,
    redactsAllOf: event.redactsAllOf,
    prevNids: [],
    authNids: [],
    relation: relation && { ...relation, key: null },
    transaction: event.transaction,
    redaction:
      redacts === undefined
        ? undefined
        : { targetNid: redacts, common: `"content":{}`, federation: `"depth":1` },
  };
}
