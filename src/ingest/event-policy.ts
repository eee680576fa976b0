import type { BuiltEvent } from "../protocol/event-builder.ts";
import type { RoomEvent } from "../protocol/pdu.ts";
import type { Room } from "../state/room-index.ts";

/** A room's state, as far as it is asked for. */
export interface StateLookUp {
  event(type: string, stateKey: string): Promise<RoomEvent | undefined>;
}

/** An event and its encoding, which is told of signatures that are added. */
export type SignedEvent = Pick<BuiltEvent, "event" | "encoded">;

/** What has a say in the sending of events beside the rules of their room. */
export interface EventPolicy {
  /**
   * Asked before an event is stored; it may put a signature on the event.
   * @param state before the event
   * @throws MatrixError for an event that is not to be sent
   */
  approve(room: Room, event: SignedEvent, state: StateLookUp): Promise<void>;
}
