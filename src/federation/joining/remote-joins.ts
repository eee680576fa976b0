import type { ReceivedEvent } from "../../ingest/received-event.ts";
import type { RoomOutliers } from "../../ingest/room-outliers.ts";
import { RoomQueues } from "../../ingest/room-queues.ts";
import type { RoomReceiver } from "../../ingest/room-receiver.ts";
import type { EventId, RoomId, ServerName } from "../../protocol/identifiers.ts";
import type { JsonObject, JsonValue } from "../../protocol/json.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import type { RoomVersion } from "../../protocol/room-versions.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { LocalUser } from "../../services/local-user.ts";
import { FederationError } from "../federation-client.ts";
import type { PduChecks } from "../inbound/pdu-checks.ts";
import type { ToldEvents } from "../inbound/told-events.ts";
import { type ToldStates, ToldStateError } from "../inbound/told-state.ts";
import type { JoinAnswer, MembershipRequests, SignedJoin } from "../requests/membership-requests.ts";
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
    const { requests, signer } = this.#parts;
    const template = await requests.template(server, "join", roomId, user.userId);
    const version = signer.versionOf(template);
    const join = signer.sign(template, roomId, user.userId, content);
    const { eventId } = join.event;
    const signed = { destination: server, roomId, eventId, body: join.event.pdu as unknown as JsonValue };
    const [room, events, answer] = await this.#send(signed, version);
    const entering = await countersigned(this.#parts.checks, room, join, answer.event);
    await this.#checkCreateEvent(room, events);
    await events.store();
    await this.#enter(room, entering, events.idsOf("state"));
    return room;
  }

  /** Hands the join over, and takes the room's events while they come. */
  async #send(join: SignedJoin, version: RoomVersion): Promise<[Room, ToldEvents, JoinAnswer]> {
    const { requests, outliers, toldStates } = this.#parts;
    let told: { readonly room: Room; readonly events: ToldEvents } | undefined;
    const answer = await requests.join(join, false, async () => {
      // Its version so far may be what somebody has claimed who invited a user to it.
      const room = { ...(await outliers.adopt(join.roomId, version)), version };
      const events = toldStates.begin(room);
      told = { room, events };
      return (list, texts) => events.take(list, texts);
    });
    if (!told) throw new Error("a server has agreed, and nothing was read of its answer");
    return [told.room, told.events, answer];
  }

  /** A state without the event that has made the room is none, and that event tells the room's version. */
  async #checkCreateEvent(room: Room, events: ToldEvents): Promise<void> {
    const [create, ...others] = await events.createEventsOf("state");
    if (!create || others.length > 0 || versionIdIn(create) !== room.version.id) {
      throw new FederationError("unreachable", "The server tells no state of such a room.");
    }
    if (await this.#parts.outliers.correctVersion(room)) return;
    throw new FederationError("unreachable", "The room has another version.");
  }

  async #enter(room: Room, join: ReceivedEvent, stateIds: readonly EventId[]): Promise<void> {
    const { toldStates, receiver } = this.#parts;
    try {
      const before = await toldStates.stateOf(room, stateIds);
      const [receipt] = await receiver.receive(
        room,
        [{ ...join, isHandedOver: true, toldStates: [before] }],
        "join",
      );
      if (receipt?.verdict === "accepted" || receipt?.verdict === "known") return;
      // The server has let the user in: what it tells of the room cannot be true.
      throw new FederationError("unreachable", receipt?.reason ?? "The room's rules do not allow it");
    } catch (error) {
      if (error instanceof ToldStateError) {
        throw new FederationError("unreachable", error.message, { cause: error });
      }
      throw error;
    }
  }
}

/** As the create event has it: rooms from before there were versions have the first. */
function versionIdIn({ content }: RoomEvent): unknown {
  return content["room_version"] ?? "1";
}
