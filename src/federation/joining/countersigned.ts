import type { ReceivedEvent } from "../../ingest/received-event.ts";
import type { JsonValue } from "../../protocol/json.ts";
import type { Room } from "../../state/room-index.ts";
import { FederationError } from "../federation-client.ts";
import { type PduChecks, RefusedPduError } from "../inbound/pdu-checks.ts";

/**
 * A join as the room has it: with the signatures of whoever has vouched for the user, and of the room's policy server.
 * @param answered the event that the server by which the user came in has answered with, unchecked
 * @throws FederationError where the join counts for nothing without a signature that it lacks
 */
export async function countersigned(
  checks: PduChecks,
  room: Room,
  join: ReceivedEvent,
  answered: JsonValue | undefined,
): Promise<ReceivedEvent> {
  try {
    if (answered !== undefined) return await checks.checkNamed(room, join.event.eventId, answered);
  } catch (error) {
    if (!(error instanceof RefusedPduError)) throw error;
  }
  if (join.event.content["join_authorised_via_users_server"] === undefined) return join;
  throw new FederationError("unreachable", "The server has not signed the join.");
}
