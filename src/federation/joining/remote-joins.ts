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
import type { PartialRooms } from "../../state/partial-rooms.ts";
import type { StateMap } from "../../state/state-snapshots.ts";
import { boundHeapGrowth } from "../../telemetry/heap-growth.ts";
import type { RoomCompletions } from "./room-completions.ts";
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
  readonly partialRooms: PartialRooms;
  readonly completions: Pick<RoomCompletions, "start">;
  /** Those of some servers that are others than this one, and that it talks with. */
  readonly others: (servers: readonly ServerName[]) => readonly ServerName[];
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
    using _growth = boundHeapGrowth();
    const template = await requests.template(server, "join", roomId, user.userId);
    const version = signer.versionOf(template);
    const join = signer.sign(template, roomId, user.userId, content);
    const { eventId } = join.event;
    const signed = { destination: server, roomId, eventId, body: join.event.pdu as unknown as JsonValue };
    const [room, events, answer] = await this.#send(signed, version);
    const entering = await countersigned(this.#parts.checks, room, join, answer.event);
    await this.#checkCreateEvent(room, events);
    await events.store();
    const before = await this.#before(room, join, answer, events.idsOf("state"));
    if (!answer.membersOmitted) await this.#enter(room, entering, before);
    else await this.#enterPartly(room, entering, before, [server, ...answer.servers]);
    return room;
  }

  /** Hands the join over, and takes the room's events while they come. */
  async #send(join: SignedJoin, version: RoomVersion): Promise<[Room, ToldEvents, JoinAnswer]> {
    const { requests, outliers, toldStates } = this.#parts;
    let told: { readonly room: Room; readonly events: ToldEvents } | undefined;
    const answer = await requests.join(join, async () => {
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

  /** The state before the join as the server tells it. */
  async #before(
    room: Room,
    join: ReceivedEvent,
    { membersOmitted }: JoinAnswer,
    stateIds: readonly EventId[],
  ): Promise<StateMap> {
    const { toldStates } = this.#parts;
    try {
      const state = await toldStates.stateOf(room, stateIds);
      if (!membersOmitted) return state;
      // What lets the user in (an invite, say) is no longer there when the members are left out.
      const resting = await toldStates.membersAmong(room, join.event.authEventIds);
      return new Map([...resting, ...state]);
    } catch (error) {
      if (!(error instanceof ToldStateError)) throw error;
      throw new FederationError("unreachable", error.message, { cause: error });
    }
  }

  /** Enters a room whose other members follow. */
  async #enterPartly(
    room: Room,
    join: ReceivedEvent,
    before: StateMap,
    servers: readonly ServerName[],
  ): Promise<void> {
    const { partialRooms, completions } = this.#parts;
    const { roomNid } = room;
    // Before anybody sees the room: it must not be taken for one of which all is known.
    const others = this.#parts.others(servers).slice(0, maxServers);
    await partialRooms.begin({ roomNid, joinId: join.event.eventId, servers: others });
    try {
      await this.#enter(room, join, before);
    } catch (error) {
      await partialRooms.abandon(roomNid);
      throw error;
    }
    completions.start(roomNid);
  }

  async #enter(room: Room, join: ReceivedEvent, before: StateMap): Promise<void> {
    const received = { ...join, isHandedOver: true, toldStates: [before] };
    const [receipt] = await this.#parts.receiver.receive(room, [received], "join");
    if (receipt?.verdict === "accepted" || receipt?.verdict === "known") return;
    // The server has let the user in: what it tells of the room cannot be true.
    throw new FederationError("unreachable", receipt?.reason ?? "The room's rules do not allow it");
  }
}

/** As the create event has it: rooms from before there were versions have the first. */
function versionIdIn({ content }: RoomEvent): unknown {
  return content["room_version"] ?? "1";
}

/** What a room sends goes to all of them; no room has more. */
const maxServers = 20_000;
