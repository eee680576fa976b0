import type { Receipt, ReceivedEvent } from "../../ingest/received-event.ts";
import type { RoomReceiver } from "../../ingest/room-receiver.ts";
import type { RoomWriter } from "../../ingest/room-writer.ts";
import type { SigningKey } from "../../protocol/ed25519.ts";
import { checkPdu } from "../../protocol/event-format.ts";
import { signEvent } from "../../protocol/event-signing.ts";
import { parseUserId, type ServerName, serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import type { JsonObject, JsonValue } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Pdu, RoomEvent } from "../../protocol/pdu.ts";
import type { RestrictedJoin } from "../../services/rooms/restricted-join.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import { eventFlags, type EventStore, type StoredEvent } from "../../storage/events.ts";
import { type PduChecks, refusing } from "../inbound/pdu-checks.ts";
import type { RoomParticipation } from "../room-participation.ts";

export interface HandshakesParts {
  readonly serverName: ServerName;
  readonly key: SigningKey;
  readonly rooms: RoomIndex;
  readonly participation: RoomParticipation;
  readonly writer: RoomWriter;
  readonly receiver: RoomReceiver;
  readonly checks: PduChecks;
  readonly restricted: RestrictedJoin;
  readonly eventStore: Pick<EventStore, "byId">;
  /** Asks the room's policy server, which may put its signature on the event. @throws MatrixError when it refuses */
  readonly approve: (room: Room, received: ReceivedEvent) => Promise<void>;
}

/** What users of other servers can do in a room by way of this one. */
export type HandshakeMembership = "join" | "leave" | "knock";

/** Takes part in the handshakes by which users of other servers join, leave and knock (server-server API). */
export class Handshakes {
  readonly #parts: HandshakesParts;

  constructor(parts: HandshakesParts) {
    this.#parts = parts;
  }

  /**
   * What the other server has to sign.
   * @param versions the room versions that it knows
   * @throws MatrixError M_NOT_FOUND, M_FORBIDDEN, M_INCOMPATIBLE_ROOM_VERSION, M_UNABLE_TO_AUTHORISE_JOIN,
   *   M_UNABLE_TO_GRANT_JOIN
   */
  async template(
    origin: ServerName,
    roomId: string,
    user: string,
    membership: HandshakeMembership,
    versions?: readonly string[],
  ): Promise<{ readonly version: string; readonly event: JsonObject }> {
    const room = await this.room(origin, roomId);
    const userId = userOf(origin, user);
    if (versions && !versions.includes(room.version.id)) throw incompatible(room);
    const authoriser =
      membership === "join" ? await this.#parts.restricted.authoriser(room, userId) : undefined;
    const content: JsonObject = {
      membership,
      ...(authoriser !== undefined && { join_authorised_via_users_server: authoriser }),
    };
    const local = { type: "m.room.member", stateKey: userId, sender: userId, content };
    return { version: room.version.id, event: await this.#parts.writer.template(room, local) };
  }

  /**
   * Takes the signed event into the room, and passes it on.
   * @returns the event as it is stored
   * @throws MatrixError M_NOT_FOUND, M_FORBIDDEN, M_INVALID_PARAM, M_BAD_STATE, M_UNABLE_TO_AUTHORISE_JOIN,
   *   M_UNABLE_TO_GRANT_JOIN
   */
  async accept(
    origin: ServerName,
    roomId: string,
    eventId: string,
    pdu: JsonValue,
    membership: HandshakeMembership,
  ): Promise<StoredEvent> {
    const room = await this.room(origin, roomId);
    const signed = await this.#countersigned(room, pdu, membership);
    const received = await refusing(() => this.#parts.checks.checkNamed(room, eventId, signed));
    checkOwnMembership(received.event, membership);
    if (serverNameOf(received.event.sender) !== origin) {
      throw new MatrixError("M_INVALID_PARAM", `The event is not of a user of ${origin}`);
    }
    await this.#parts.approve(room, received);
    const [receipt] = await this.#parts.receiver.receive(room, [{ ...received, isRelayed: true }]);
    checkReceipt(receipt);
    const stored = await this.#parts.eventStore.byId(eventId);
    if (!stored) throw new Error(`${eventId} was accepted and is not there`);
    if ((stored.flags & (eventFlags.rejected | eventFlags.softFailed)) === 0) return stored;
    throw new MatrixError("M_FORBIDDEN", "The room's rules do not allow it");
  }

  /** A join that counts on somebody of this server needs this server's signature, if they may let the user in. */
  async #countersigned(room: Room, pdu: JsonValue, membership: HandshakeMembership): Promise<JsonValue> {
    const { serverName, key } = this.#parts;
    if (membership !== "join" || !room.version.restrictedJoin) return pdu;
    const checked = await refusing(async () => checkPdu(room.version, pdu));
    const named = checked.pdu.content["join_authorised_via_users_server"];
    const authoriser = typeof named === "string" ? parseUserId(named) : undefined;
    if (authoriser === undefined || serverNameOf(authoriser) !== serverName) return pdu;
    const joiner = parseUserId(checked.pdu.sender);
    // Whether the named user may do it is for the room's rules; whether the joiner may come in only this server can tell.
    if (joiner !== undefined) await this.#parts.restricted.authoriser(room, joiner);
    return signEvent<Pdu>(room.version, checked.pdu, serverName, key) as unknown as JsonValue;
  }

  /** A room in which this server is and another may take part. @throws MatrixError M_NOT_FOUND, M_FORBIDDEN */
  async room(origin: ServerName, roomId: string): Promise<Room> {
    const { rooms, participation } = this.#parts;
    const room = await rooms.find(roomId);
    if (!room || !(await participation.isJoined(room))) {
      throw new MatrixError("M_NOT_FOUND", "This server is not in such a room");
    }
    if (!participation.isWhole(room)) {
      throw new MatrixError("M_NOT_FOUND", "This server has just come into the room: ask another one");
    }
    if (await participation.admits(room, origin)) return room;
    throw new MatrixError("M_FORBIDDEN", `The room's server ACL does not admit ${origin}`);
  }
}

/** @throws MatrixError M_INVALID_PARAM */
function checkOwnMembership({ type, stateKey, sender, content }: RoomEvent, membership: string): void {
  if (type === "m.room.member" && stateKey === sender && content["membership"] === membership) return;
  throw new MatrixError("M_INVALID_PARAM", `The event is not the sender's own membership ${membership}`);
}

function userOf(origin: ServerName, text: string): UserId {
  const userId = parseUserId(text);
  if (userId !== undefined && serverNameOf(userId) === origin) return userId;
  throw new MatrixError("M_FORBIDDEN", `${origin} speaks for users of its own only`);
}

function incompatible({ version }: Room): MatrixError {
  return new MatrixError(
    "M_INCOMPATIBLE_ROOM_VERSION",
    `The room has version ${version.id}, which the other server does not know`,
    { room_version: version.id },
  );
}

function checkReceipt(receipt: Receipt | undefined): void {
  if (receipt?.verdict === "accepted" || receipt?.verdict === "known") return;
  if (receipt?.verdict === "incomplete") {
    throw new MatrixError("M_BAD_STATE", "The event follows events that this server does not have");
  }
  throw new MatrixError("M_FORBIDDEN", receipt?.reason ?? "The room's rules do not allow it");
}
