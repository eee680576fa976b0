import type { Stores } from "../database.ts";
import type { Membership } from "../memberships.ts";

let lastEventNid = 0;

/** Commits member events of a room, one for each user. Returns the position of the last. */
export async function commitMemberships(
  stores: Stores,
  roomNid: number,
  members: readonly {
    readonly userNid: number;
    readonly isLocal: boolean;
    readonly membership: Membership;
  }[],
  isNew = false,
): Promise<number> {
  const memberships = members.map((member) => {
    lastEventNid += 1;
    return { ...member, eventNid: lastEventNid };
  });
  const positions = await stores.commits.commit({
    roomNid,
    newRoom: isNew ? { roomId: `!${roomNid}`, version: "12" } : undefined,
    events: memberships.map(({ userNid, eventNid }) => ({
      eventNid,
      eventId: `$${eventNid}`,
      roomNid,
      inTimeline: true,
      prevNids: [],
      authNids: [],
      typeNid: 1,
      pairNid: null,
      senderNid: userNid,
      depth: 1,
      originServerTs: 1,
      stateBefore: null,
      stateAfter: null,
      roomState: null,
      flags: 0,
      replaces: null,
      delayId: null,
      common: "",
      federation: "",
    })),
    snapshots: [],
    head: { extremities: [], currentSnapshot: 1 },
    memberships,
  });
  return positions?.at(-1) ?? 0;
}
