import { emptyRoomFields } from "../../protocol/room-summary.ts";
import type { FilledGap, NewEvent } from "../commits.ts";
import type { Database } from "../database.ts";

let eventNids = 0;

export interface MessagePlaces {
  /** Events between the first message and those before it are missing. */
  readonly followsGap?: boolean;
  /** The places of messages that fill a gap. */
  readonly historyPositions?: readonly number[];
  readonly filledGap?: FilledGap;
}

/** Commits messages of user 1 to a room, which is made when there is none. */
export async function commitMessages(
  database: Database,
  roomNid: number,
  bodies: readonly string[],
  { followsGap = false, historyPositions = [], filledGap }: MessagePlaces = {},
): Promise<{ readonly eventNids: readonly number[]; readonly position: number }> {
  const { names, rooms, commits } = database.stores;
  const typeNid = await names.internEventType("m.room.message");
  const isNew = (await rooms.byNid(roomNid)) === undefined;
  const events = bodies.map((body, index) => {
    const message = newMessage(roomNid, typeNid, body);
    const gapFollowers = followsGap && index === 0 ? [message.eventNid] : [];
    return { ...message, gapFollowers, historyPosition: historyPositions[index] };
  });
  const snapshot = { snapshotNid: roomNid, parentNid: null, height: 0, delta: new Uint8Array() };
  const positions = await commits.commit({
    roomNid,
    ...(isNew && { newRoom: { roomId: `!${roomNid}:hearth.test`, version: "10" } }),
    events,
    snapshots: isNew ? [snapshot] : [],
    head: { extremities: [], currentSnapshot: roomNid },
    memberships: [],
    filledGap,
    summary: { fields: isNew ? emptyRoomFields : {}, children: [] },
  });
  const position = positions?.at(-1);
  if (position === undefined || position === null) throw new Error("the messages were not stored");
  return { eventNids: events.map(({ eventNid }) => eventNid), position };
}

function newMessage(roomNid: number, typeNid: number, body: string): NewEvent {
  eventNids += 1;
  return {
    eventNid: eventNids,
    eventId: `$message-${eventNids}`,
    roomNid,
    typeNid,
    pairNid: null,
    senderNid: 1,
    depth: eventNids,
    originServerTs: eventNids,
    stateBefore: roomNid,
    stateAfter: roomNid,
    roomState: null,
    flags: 0,
    replaces: null,
    delayId: null,
    common: `"content":${JSON.stringify({ msgtype: "m.text", body })},"type":"m.room.message"`,
    federation: `"depth":1`,
    inTimeline: true,
    prevNids: [],
    authNids: [],
  };
}
