import type { EventId } from "../protocol/identifiers.ts";
import type { CheckedPdu } from "../protocol/event-format.ts";
import type { RoomEvent } from "../protocol/pdu.ts";
import type { StateMap } from "../state/state-snapshots.ts";

/** An event from another server whose form, hash and signatures have been checked. */
export interface ReceivedEvent extends Pick<CheckedPdu, "encoded"> {
  readonly event: RoomEvent;
  /**
   * For an event some of whose `prev_events` are not here: the states after those as other servers tell them, made of
   * events that are stored.
   */
  readonly toldStates?: readonly StateMap[] | undefined;
  /** A user of another server comes in by this one, which is to tell the room's other servers of it. */
  readonly isRelayed?: boolean | undefined;
  /** A user of this server comes in by another one, which tells the room's other servers of it. */
  readonly isHandedOver?: boolean | undefined;
  /** The room's policy server does not want it: it is kept like one that came too late to be allowed. */
  readonly isUnwanted?: boolean | undefined;
}

/**
 * What became of a received event. `accepted`: clients see it. `soft-failed`, `rejected`: server-server API, "Checks
 * performed on receipt of a PDU". `known`: it was here already. `incomplete`: nothing was done, since events that it
 * follows or rests on are missing.
 */
export type Verdict = "accepted" | "soft-failed" | "rejected" | "known" | "incomplete";

export interface Receipt {
  readonly eventId: EventId;
  readonly verdict: Verdict;
  /** The rule that refused it, in words. */
  readonly reason?: string | undefined;
  /** Of an incomplete event: those of its `prev_events` and `auth_events` that are not here. */
  readonly missingPrev?: readonly EventId[] | undefined;
  readonly missingAuth?: readonly EventId[] | undefined;
}
