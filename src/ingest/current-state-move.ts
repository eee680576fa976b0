import { type ServerName, serverNameOf, type UserId } from "../protocol/identifiers.ts";
import type { RoomEvent } from "../protocol/pdu.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { StateSnapshots } from "../state/state-snapshots.ts";
import type { CurrentMembership } from "../storage/commits.ts";
import type { Membership } from "../storage/memberships.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { Pace } from "../telemetry/pace.ts";
import type { Batch } from "./batch.ts";

export interface StateMoveParts {
  readonly serverName: ServerName;
  readonly events: Pick<EventReader, "roomEventsOnce">;
  readonly names: NameCache;
  readonly snapshots: Pick<StateSnapshots, "map" | "difference">;
  readonly pace: Pace;
}

/** A room's first state may have tens of thousands of events: so many are read at a time. */
const eventsAtOnce = 25;

/** Makes another snapshot the room's current state, with all that is kept of it besides: memberships and the summary. */
export async function moveCurrentState(
  parts: StateMoveParts,
  batch: Batch,
  snapshotNid: number,
): Promise<void> {
  const { draft } = batch;
  if (draft.snapshotNid === snapshotNid) return;
  const changes =
    draft.snapshotNid === null
      ? await parts.snapshots.map(snapshotNid)
      : await parts.snapshots.difference(draft.snapshotNid, snapshotNid);
  const entries = [...changes];
  for (let start = 0; start < entries.length; start += eventsAtOnce) {
    if (start > 0) await parts.pace.breathe();
    await moveEntries(parts, batch, entries.slice(start, start + eventsAtOnce));
  }
  draft.snapshotNid = snapshotNid;
}

async function moveEntries(
  parts: StateMoveParts,
  { draft, memberships, summary }: Batch,
  entries: readonly (readonly [pairNid: number, eventNid: number | undefined])[],
): Promise<void> {
  const eventNids = entries.map(([, eventNid]) => eventNid).filter((nid) => nid !== undefined);
  const events = await parts.events.roomEventsOnce(eventNids);
  const byNid = new Map(eventNids.map((nid, index) => [nid, events[index]]));
  for (const [pairNid, eventNid] of entries) {
    const before = await draft.get(pairNid);
    draft.set(pairNid, eventNid, before);
    const event = eventNid === undefined ? undefined : byNid.get(eventNid);
    if (event && eventNid !== undefined) {
      const { type, stateKey = "", content, sender } = event;
      summary.add({ type, stateKey, content, sender }, eventNid);
      if (type === "m.room.member") memberships.push(await membershipOf(parts, event, eventNid));
    } else if (before !== undefined) {
      await forgetEntry(parts, { memberships, summary }, pairNid, before);
    }
  }
}

/** State resolution may leave a pair without any event: a member of whom nothing is known any more has left. */
async function forgetEntry(
  { names, serverName }: StateMoveParts,
  { memberships, summary }: Pick<Batch, "memberships" | "summary">,
  pairNid: number,
  eventNid: number,
): Promise<void> {
  const { type, stateKey } = await names.statePair(pairNid);
  summary.add({ type, stateKey, content: {}, sender: null }, eventNid);
  if (type !== "m.room.member") return;
  const isLocal = serverNameOf(stateKey as UserId) === serverName;
  memberships.push({ userNid: await names.internUser(stateKey), isLocal, membership: "leave", eventNid });
}

/** What a member event makes of its user. */
export async function membershipOf(
  { names, serverName }: Pick<StateMoveParts, "names" | "serverName">,
  event: RoomEvent,
  eventNid: number,
): Promise<CurrentMembership> {
  const userId = event.stateKey ?? "";
  return {
    userNid: await names.internUser(userId),
    isLocal: serverNameOf(userId as UserId) === serverName,
    // The authorisation rules let none but the known memberships pass.
    membership: event.content["membership"] as Membership,
    eventNid,
  };
}
