import type { ReceivedEvent } from "../../ingest/received-event.ts";
import type { RoomReceiver } from "../../ingest/room-receiver.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import type { JsonObject, JsonValue } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { LocalUser } from "../../services/local-user.ts";
import type { Room } from "../../state/room-index.ts";
import { FederationError } from "../federation-client.ts";
import type { PduChecks } from "../inbound/pdu-checks.ts";
import { type ToldStates, ToldStateError } from "../inbound/told-state.ts";
import type { MembershipRequests } from "../requests/membership-requests.ts";
import { countersigned } from "./countersigned.ts";
import { firstThatWorks } from "./first-that-works.ts";
import type { MembershipSigner } from "./signed-membership.ts";

export interface VouchedJoinsParts {
  readonly requests: MembershipRequests;
  readonly signer: MembershipSigner;
  readonly checks: PduChecks;
  readonly toldStates: ToldStates;
  readonly receiver: RoomReceiver;
}

/**
 * Joins rooms in which this server is, by way of another server: restricted ones where nobody of this server may let others
 * in (server-server API, "Restricted rooms"), and such of which it is not known yet who is banned.
 */
export class VouchedJoins {
  readonly #parts: VouchedJoinsParts;

  constructor(parts: VouchedJoinsParts) {
    this.#parts = parts;
  }

  /** @throws MatrixError what the servers answer */
  join(user: LocalUser, room: Room, servers: readonly ServerName[], content: JsonObject): Promise<void> {
    return firstThatWorks(servers, (server) => this.#joinBy(server, user, room, content));
  }

  async #joinBy(server: ServerName, user: LocalUser, room: Room, content: JsonObject): Promise<void> {
    const { requests, signer, checks } = this.#parts;
    const template = await requests.template(server, "join", room.roomId, user.userId);
    if (template.version !== room.version.id) {
      throw new FederationError("unreachable", "The server says that the room has another version.");
    }
    const join = signer.sign(template, room.roomId, user.userId, content);
    const body = join.event.pdu as unknown as JsonValue;
    const signed = { destination: server, roomId: room.roomId, eventId: join.event.eventId, body };
    // The room's state is known here, or follows.
    const { event } = await requests.join(signed, () => Promise.resolve(() => Promise.resolve()));
    await this.#receive(room, server, await countersigned(checks, room, join, event));
  }

  /** The join may follow events of other servers that have not come yet. */
  async #receive(room: Room, server: ServerName, join: ReceivedEvent): Promise<void> {
    const { receiver } = this.#parts;
    const received = { ...join, isHandedOver: true };
    let [receipt] = await receiver.receive(room, [received]);
    if (receipt?.verdict === "incomplete") {
      const before = await this.#stateBefore(room, server, join);
      [receipt] = await receiver.receive(room, [{ ...received, toldStates: [before] }]);
    }
    if (receipt?.verdict === "accepted" || receipt?.verdict === "known") return;
    throw new MatrixError("M_FORBIDDEN", receipt?.reason ?? "The room's rules do not allow it");
  }

  async #stateBefore(room: Room, server: ServerName, { event }: ReceivedEvent) {
    try {
      return await this.#parts.toldStates.before(room, event.eventId, server);
    } catch (error) {
      if (!(error instanceof ToldStateError)) throw error;
      throw new FederationError("unreachable", error.message, { cause: error });
    }
  }
}
