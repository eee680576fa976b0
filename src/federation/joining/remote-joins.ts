import type { ReceivedEvent } from "../../ingest/received-event.ts";
import type { RoomOutliers } from "../../ingest/room-outliers.ts";
import { RoomQueues } from "../../ingest/room-queues.ts";
import type { RoomReceiver } from "../../ingest/room-receiver.ts";
import type { EventId, RoomId, ServerName } from "../../protocol/identifiers.ts";
import type { JsonObject, JsonValue } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { LocalUser } from "../../services/local-user.ts";
import { FederationError } from "../federation-client.ts";
import type { PduChecks } from "../inbound/pdu-checks.ts";
import { type ToldStates, ToldStateError } from "../inbound/told-state.ts";
import type { JoinedRoomState, MembershipRequests } from "../requests/membership-requests.ts";
import { countersigned } from "./countersigned.ts";
import type { MembershipSigner } from "./signed-membership.ts";
import { firstThatWorks } from "./first-that-works.ts";

export interface RemoteJoinsParts {
  readonly requests: MembershipRequests;
  readonly signer: MembershipSigner;
  readonly checks: PduChecks;
  readonly toldStates: ToldStates;
  readonly outliers: RoomOutliers;
  readonly receiver: RoomReceiver;
  readonly rooms: RoomIndex;
}

/** Joins rooms in which nobody of this server is (server-server API, "Joining Rooms"). */
export class RemoteJoins {
  readonly #parts: RemoteJoinsParts;
  /** Users who join one room at the same time come in one after the other: the second finds it here. */
  readonly #queues = new RoomQueues<string>();

  constructor(parts: RemoteJoinsParts) {
    this.#parts = parts;
  }

  /**
   * @param isHere whether somebody has joined the room in the meantime
   * @throws MatrixError
   */
  join(
    user: LocalUser,
    roomId: RoomId,
    servers: readonly ServerName[],
    content: JsonObject,
    isHere: (room: Room) => Promise<boolean>,
  ): Promise<Room | undefined> {
    return this.#queues.run(roomId, async () => {
      const known = await this.#parts.rooms.find(roomId);
      if (known && (await isHere(known))) return undefined;
      return firstThatWorks(servers, (server) => this.#joinBy(server, user, roomId, content));
    });
  }

  async #joinBy(server: ServerName, user: LocalUser, roomId: RoomId, content: JsonObject): Promise<Room> {
    const { requests, signer, outliers } = this.#parts;
    const template = await requests.template(server, "join", roomId, user.userId);
    const version = signer.versionOf(template);
    const join = signer.sign(template, roomId, user.userId, content);
    const { eventId } = join.event;
    const body = join.event.pdu as unknown as JsonValue;
    const told = await requests.join(server, roomId, eventId, body);
    const room = await outliers.adopt(roomId, version);
    if (room.version.id !== version.id)
      throw new FederationError("unreachable", "The room has another version.");
    await this.#enter(room, await countersigned(this.#parts.checks, room, join, told.event), told);
    return room;
  }

  async #enter(room: Room, join: ReceivedEvent, { state, authChain }: JoinedRoomState): Promise<void> {
    const { toldStates, receiver } = this.#parts;
    const ids = await toldStates.storeAll(room, [...authChain, ...state]);
    const stateIds = ids.slice(authChain.length).filter((id): id is EventId => id !== undefined);
    try {
      const before = await toldStates.stateOf(room, stateIds);
      const [receipt] = await receiver.receive(
        room,
        [{ ...join, isHandedOver: true, toldStates: [before] }],
        "join",
      );
      if (receipt?.verdict === "accepted" || receipt?.verdict === "known") return;
      throw new MatrixError("M_FORBIDDEN", receipt?.reason ?? "The room's rules do not allow it");
    } catch (error) {
      if (error instanceof ToldStateError) {
        throw new FederationError("unreachable", error.message, { cause: error });
      }
      throw error;
    }
  }
}
