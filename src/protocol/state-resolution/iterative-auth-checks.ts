import type { AuthState } from "../auth/auth-state.ts";
import { authorise } from "../auth/authorise.ts";
import type { RoomEvent } from "../pdu.ts";
import type { RoomVersion } from "../room-versions.ts";
import type { EventReader } from "./event-reader.ts";
import type { ForkedStates, ResolvableEvent, ResolutionSource } from "./types.ts";

/** A state under construction: what resolution has put over the state that it started from. */
export interface PartialState {
  readonly base: ForkedStates["unconflicted"];
  readonly resolved: Map<number, number>;
}

/** The event of a state under construction in one place. */
export function eventAt(state: PartialState, pair: number | undefined): number | undefined {
  return pair === undefined ? undefined : (state.resolved.get(pair) ?? state.base(pair));
}

/**
 * The iterative auth checks algorithm (room version 2, "State resolution"): puts each event that the authorisation rules
 * allow into the state, in order, and ignores the others.
 *
 * @param create the room's create event, which room versions whose events do not cite it need beside the state
 */
export function iterativeAuthChecks(
  version: RoomVersion,
  source: Pick<ResolutionSource, "pair">,
  reader: EventReader,
  ordered: readonly number[],
  state: PartialState,
  create: RoomEvent | undefined,
): void {
  for (const nid of ordered) {
    const event = reader.event(nid);
    const { type, stateKey } = event.roomEvent;
    const pair = stateKey === undefined ? undefined : source.pair(type, stateKey);
    if (pair === undefined) continue;
    const stateBefore = stateFor(version, source, reader, event, state, create);
    if (authorise(version, event.roomEvent, stateBefore) === undefined) state.resolved.set(pair, nid);
  }
}

/** The state so far; for what it lacks, the event's own auth events that are not rejected. */
function stateFor(
  version: RoomVersion,
  source: Pick<ResolutionSource, "pair">,
  reader: EventReader,
  event: ResolvableEvent,
  state: PartialState,
  create: RoomEvent | undefined,
): AuthState {
  return {
    get(type, stateKey) {
      if (version.roomIdIsCreateHash && type === "m.room.create" && stateKey === "") return create;
      const nid = eventAt(state, source.pair(type, stateKey));
      if (nid !== undefined) return reader.event(nid).roomEvent;
      const authEvent = reader.authEvent(event, type, stateKey);
      return authEvent === undefined || authEvent.rejected ? undefined : authEvent.roomEvent;
    },
  };
}
