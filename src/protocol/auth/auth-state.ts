import type { RoomEvent } from "../pdu.ts";

/** The room state that an event is authorised against; asked for the event's auth events and the create event. */
export interface AuthState {
  /** The state event with this type and state key, or `undefined` when the state has none. */
  get(type: string, stateKey: string): RoomEvent | undefined;
}

/**
 * The state made of a handful of state events, such as an event's auth events. The last event wins when two have the
 * same type and state key; events without a state key are left out.
 */
export function authStateOf(events: Iterable<RoomEvent>): AuthState {
  const byType = new Map<string, Map<string, RoomEvent>>();
  for (const event of events) {
    if (event.stateKey === undefined) continue;
    const byStateKey = byType.get(event.type);
    if (byStateKey === undefined) byType.set(event.type, new Map([[event.stateKey, event]]));
    else byStateKey.set(event.stateKey, event);
  }
  return { get: (type, stateKey) => byType.get(type)?.get(stateKey) };
}

/** A user's membership in a state; whoever has no member event has left. */
export function membershipOf(state: AuthState, userId: string): string {
  const membership = state.get("m.room.member", userId)?.content["membership"];
  return typeof membership === "string" ? membership : "leave";
}

/** The room's join rule; a room which does not say is invite-only. */
export function joinRuleOf(state: AuthState): string {
  const joinRule = state.get("m.room.join_rules", "")?.content["join_rule"];
  return typeof joinRule === "string" ? joinRule : "invite";
}
