import type { RoomEvent } from "./pdu.ts";

/**
 * Who may see an event of a room. Specification: client-server API, "Room History Visibility".
 *
 * The rules depend on the state of the room at the event: just before it, and for the two kinds of event that change
 * what the rules look at, just after it as well.
 */

/** From the most open to the most closed. */
export type HistoryVisibility = "world_readable" | "shared" | "invited" | "joined";

/** What an event's visibility depends on for every user alike. */
export type VisibleEvent = Pick<RoomEvent, "type" | "stateKey" | "content">;

/** What the visibility of one event depends on for one user. */
export interface UserAtEvent {
  readonly userId: string;
  /** `membership` of the user's `m.room.member` in the state before the event; `undefined` when there is none. */
  readonly membershipBefore: unknown;
  /** Whether the user was joined at any point after the event, now included. */
  readonly joinedLater: boolean;
}

/**
 * The visibility that a state event's `history_visibility` stands for: `shared` when it is absent or not understood.
 *
 * @param value `history_visibility` as it is in the content of `m.room.history_visibility`
 */
export function parseHistoryVisibility(value: unknown): HistoryVisibility {
  return value === "world_readable" || value === "invited" || value === "joined" ? value : "shared";
}

/**
 * Whether a user may see an event.
 *
 * @param visibilityBefore the room's `history_visibility` in the state before the event, unchecked
 */
export function mayUserSeeEvent(event: VisibleEvent, visibilityBefore: unknown, user: UserAtEvent): boolean {
  return visibilitiesOf(event, visibilityBefore).some((visibility) => allows(visibility, event, user));
}

/**
 * Whether a server may be given an event: when one of its users may see it.
 *
 * @param visibilityBefore the room's `history_visibility` in the state before the event, unchecked
 * @param users the server's users who are or were members of the room, or as many as it takes to find one who may
 */
export function mayServerSeeEvent(
  event: VisibleEvent,
  visibilityBefore: unknown,
  users: Iterable<UserAtEvent>,
): boolean {
  const visibilities = visibilitiesOf(event, visibilityBefore);
  if (visibilities.includes("world_readable")) return true;
  for (const user of users) {
    if (visibilities.some((visibility) => allows(visibility, event, user))) return true;
  }
  return false;
}

/**
 * "For `m.room.history_visibility` events themselves, the user should be allowed to see the event if the
 * `history_visibility` before or after the event would allow them to see it."
 */
function visibilitiesOf(event: VisibleEvent, visibilityBefore: unknown): HistoryVisibility[] {
  const before = parseHistoryVisibility(visibilityBefore);
  if (event.type !== "m.room.history_visibility" || event.stateKey !== "") return [before];
  return [before, parseHistoryVisibility(event.content["history_visibility"])];
}

/** "Likewise, for the user's own `m.room.member` events": the membership before or after the event may allow it. */
function allows(visibility: HistoryVisibility, event: VisibleEvent, user: UserAtEvent): boolean {
  if (membershipAllows(visibility, user.membershipBefore, user.joinedLater)) return true;
  if (event.type !== "m.room.member" || event.stateKey !== user.userId) return false;
  return membershipAllows(visibility, event.content["membership"], user.joinedLater);
}

function membershipAllows(visibility: HistoryVisibility, membership: unknown, joinedLater: boolean): boolean {
  // 1. If the history_visibility was set to world_readable, allow.
  if (visibility === "world_readable") return true;
  // 2. If the user's membership was join, allow.
  if (membership === "join") return true;
  // 3. If history_visibility was set to shared, and the user joined the room at any point after the event, allow.
  if (visibility === "shared" && joinedLater) return true;
  // 4. If the user's membership was invite, and the history_visibility was set to invited, allow.
  if (visibility === "invited" && membership === "invite") return true;
  // 5. Otherwise, deny.
  return false;
}
