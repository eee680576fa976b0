import type { JsonObject } from "../../json.ts";
import { EventForPush } from "../event.ts";
import type { PushEvent, RoomForPush } from "../event.ts";

export const alice = { userId: "@alice:example.org", displayName: "Alice Margatroid" };

/** A message of Bob's in a room of ten, with the given differences. For tests. */
export function eventForPush(
  differences: Partial<PushEvent> = {},
  room: Partial<RoomForPush> = {},
): EventForPush {
  const event: PushEvent = {
    eventId: "$event",
    roomId: "!room:example.org",
    type: "m.room.message",
    sender: "@bob:example.org",
    stateKey: undefined,
    content: { msgtype: "m.text", body: "hello" },
    originServerTs: 1_700_000_000_000,
    redacts: undefined,
    ...differences,
  };
  const ordinaryRoom = {
    memberCount: 10,
    senderPowerLevel: 0,
    notificationLevels: new Map<string, number>(),
  };
  return new EventForPush(event, { ...ordinaryRoom, ...room });
}

/** A message with this text and whatever else belongs to its content. For tests. */
export function messageForPush(
  body: string,
  content: JsonObject = {},
  room: Partial<RoomForPush> = {},
): EventForPush {
  return eventForPush({ content: { msgtype: "m.text", body, ...content } }, room);
}
