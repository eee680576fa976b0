import type { ActingUser } from "../../auth/requester.ts";
import { refuseSuspended } from "../../auth/suspension.ts";
import type { LocalEvent } from "../../ingest/local-event.ts";
import type { RoomWriter } from "../../ingest/room-writer.ts";
import {
  type EventId,
  parseEventId,
  parseRoomAlias,
  parseUserId,
  serverNameOf,
  type UserId,
} from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { CurrentState } from "../../state/current-state.ts";
import type { Room } from "../../state/room-index.ts";
import type { EventStore, StoredEvent } from "../../storage/events.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { RelationStore } from "../../storage/relations.ts";
import type { RoomStore } from "../../storage/rooms.ts";
import type { StickyEventStore } from "../../storage/sticky-events.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { type GuestAccess, guestAccessType } from "./guest-access.ts";
import type { InvitePermission } from "./invite-permission.ts";
import type { RemoteRooms } from "./remote-rooms.ts";
import type { RoomAccess } from "./room-access.ts";
import { withoutAuthoriser } from "./room-membership.ts";

export interface RoomSendingParts {
  readonly writer: RoomWriter;
  readonly access: RoomAccess;
  readonly state: CurrentState;
  readonly eventStore: EventStore;
  readonly relations: RelationStore;
  readonly rooms: RoomStore;
  readonly names: NameCache;
  readonly sticky: Pick<StickyEventStore, "ofSender">;
  readonly clock: Clock;
  readonly guests: GuestAccess;
  readonly invites: InvitePermission;
  /** Absent where this server talks with no others. */
  readonly remote: Pick<RemoteRooms, "serversOf" | "invite"> | undefined;
}

/** What goes with an event beside what it says. */
export interface SendOptions {
  /** Makes a repeated request get the same event. */
  readonly transactionId?: string | undefined;
  /** The delayed event that this one has been so far. */
  readonly delayId?: string | undefined;
  /** For how long the event is sticky (MSC4354). */
  readonly stickyDurationMs?: number | undefined;
  /** When it was sent, in milliseconds since the epoch; now unless an application service says otherwise. */
  readonly originServerTs?: number | undefined;
}

/** "Care needs to be taken that other room participants cannot send large volumes of sticky events": of one in a room. */
const maxStickyEvents = 100;

const maxAlternativeAliases = 100;
/** Without the content of these a room would be another one, or open to servers that are to stay out. */
const lastingTypes: ReadonlySet<string> = new Set(["m.room.create", "m.room.server_acl"]);

/** Sending messages and state, and redacting (client-server API, "Sending events to a room", "Redactions"). */
export class RoomSending {
  readonly #parts: RoomSendingParts;

  constructor(parts: RoomSendingParts) {
    this.#parts = parts;
  }

  /** @throws MatrixError M_FORBIDDEN, M_TOO_LARGE, M_BAD_JSON, M_DUPLICATE_ANNOTATION, M_USER_SUSPENDED */
  async message(
    requester: ActingUser,
    roomId: string,
    type: string,
    content: JsonObject,
    { transactionId, ...given }: SendOptions,
  ): Promise<EventId> {
    const room = await this.#parts.access.joinedRoom(roomId, requester);
    const transaction =
      transactionId === undefined ? undefined : { deviceId: requester.deviceId, id: transactionId };
    if (type === "m.room.redaction") {
      const { redacts, ...rest } = content;
      if (typeof redacts !== "string")
        throw new MatrixError("M_BAD_JSON", "A redaction names an event in redacts");
      const { delayId, originServerTs } = given;
      return this.#redact(requester, room, redacts, { content: rest, transaction, delayId, originServerTs });
    }
    refuseSuspended(requester);
    if (given.stickyDurationMs !== undefined) await this.#refuseStickyFlood(requester, room);
    const event = { type, sender: requester.userId, content, transaction, ...given };
    await this.#refuseDuplicateAnnotation(requester, room, event);
    return idOf(await this.#parts.writer.sendOne(room, event));
  }

  /**
   * @throws MatrixError M_FORBIDDEN, M_TOO_LARGE, M_BAD_JSON, M_BAD_ALIAS, M_INVITE_BLOCKED, M_USER_SUSPENDED,
   *   M_INVALID_PARAM for another create event
   */
  async state(
    requester: ActingUser,
    roomId: string,
    type: string,
    stateKey: string,
    content: JsonObject,
    given: Omit<SendOptions, "transactionId"> = {},
  ): Promise<EventId> {
    const { access, guests, writer } = this.#parts;
    const room = await access.joinedRoom(roomId, requester);
    if (type === "m.room.create")
      throw new MatrixError("M_INVALID_PARAM", "The room has been created already");
    refuseSuspended(requester);
    const isJoin = type === "m.room.member" && content["membership"] === "join";
    if (given.stickyDurationMs !== undefined) await this.#refuseStickyFlood(requester, room);
    const event = {
      type,
      stateKey,
      sender: requester.userId,
      content: isJoin ? withoutAuthoriser(content) : content,
      ...given,
    };
    if (type === guestAccessType && stateKey === "") return (await guests.change(room, event)) as EventId;
    if (type === "m.room.canonical_alias") await this.#checkAliases(room, content);
    if (type === "m.room.member" && content["membership"] === "invite") {
      const invited = await this.#inviteRemote(requester, room, event);
      if (invited !== undefined) return invited;
    }
    return idOf(await writer.sendOne(room, event));
  }

  /**
   * Invites a user of another server, which has to agree; `undefined` for a user of this one. A delayed event goes the
   * common way, since the other server is not there to be asked for it alone.
   */
  async #inviteRemote(
    requester: ActingUser,
    room: Room,
    { stateKey, content, delayId }: LocalEvent,
  ): Promise<EventId | undefined> {
    const { invites, remote } = this.#parts;
    const userId = parseUserId(stateKey ?? "");
    await invites.check(requester, stateKey ?? "");
    if (!remote || userId === undefined || delayId !== undefined) return undefined;
    if (serverNameOf(userId) === serverNameOf(requester.userId)) return undefined;
    return remote.invite(requester.userId, room, userId, content);
  }

  /** @throws MatrixError M_NOT_FOUND when the room has no such event, M_FORBIDDEN, M_USER_SUSPENDED */
  async redact(
    requester: ActingUser,
    roomId: string,
    targetId: string,
    transactionId: string,
    content: JsonObject,
  ): Promise<EventId> {
    const room = await this.#parts.access.joinedRoom(roomId, requester);
    const transaction = { deviceId: requester.deviceId, id: transactionId, targetId };
    return this.#redact(requester, room, targetId, { content, transaction });
  }

  async #redact(
    requester: ActingUser,
    room: Room,
    targetId: string,
    rest: Pick<LocalEvent, "content" | "transaction" | "delayId" | "originServerTs">,
  ): Promise<EventId> {
    const redacts = parseEventId(targetId);
    if (redacts === undefined)
      throw new MatrixError("M_INVALID_PARAM", `${targetId.slice(0, 300)} is not an event ID`);
    const target = await this.#parts.eventStore.byId(redacts);
    if (!(await this.#mayExist(room, target))) {
      throw new MatrixError("M_NOT_FOUND", "The room has no such event");
    }
    const type = target && (await this.#parts.names.eventType(target.typeNid));
    if (type !== undefined && lastingTypes.has(type))
      throw new MatrixError("M_FORBIDDEN", `${type} cannot be redacted`);
    if (target?.senderNid !== requester.userNid) await this.#mayRedactOthers(requester, room, target);
    const { userId: sender } = requester;
    const event: LocalEvent = { type: "m.room.redaction", sender, redacts, ...rest };
    return idOf(await this.#parts.writer.sendOne(room, event));
  }

  /** An event that is not here may yet be on the other servers of its room: theirs is redacted, and ours when it comes. */
  async #mayExist(room: Room, stored: StoredEvent | undefined): Promise<boolean> {
    if (stored) return stored.roomNid === room.roomNid;
    const { remote } = this.#parts;
    return remote !== undefined && (await remote.serversOf(room)).length > 0;
  }

  async #mayRedactOthers(requester: ActingUser, room: Room, target: StoredEvent | undefined): Promise<void> {
    refuseSuspended(requester);
    const levels = await this.#parts.state.powerLevels(room);
    if (levels.userLevel(requester.userId) >= levels.redact) return;
    // "Server administrators may redact events sent by users on their server."
    const author = target && ((await this.#parts.names.userId(target.senderNid)) as UserId);
    if (author && requester.isAdmin && serverNameOf(author) === serverNameOf(requester.userId)) return;
    throw new MatrixError(
      "M_FORBIDDEN",
      `Redacting what others sent takes power level ${levels.redact} in this room`,
    );
  }

  async #refuseStickyFlood({ userNid }: ActingUser, { roomNid }: Room): Promise<void> {
    const { sticky, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const ends = await sticky.ofSender(roomNid, userNid, nowMs, maxStickyEvents);
    const [first] = ends;
    if (first === undefined || ends.length < maxStickyEvents) return;
    throw new MatrixError("M_LIMIT_EXCEEDED", "You have sent too many sticky events to this room", {
      retry_after_ms: first - nowMs,
    });
  }

  /** Client-server API, "Avoiding duplicate annotations". */
  async #refuseDuplicateAnnotation(requester: ActingUser, room: Room, event: LocalEvent): Promise<void> {
    const relatesTo = event.content["m.relates_to"];
    if (!isJsonObject(relatesTo) || relatesTo["rel_type"] !== "m.annotation") return;
    const { event_id: targetId, key } = relatesTo;
    if (typeof targetId !== "string" || typeof key !== "string") return;
    const typeNid = await this.#parts.names.findEventType(event.type);
    if (typeNid === undefined) return;
    const existing = await this.#parts.relations.annotationBy({
      targetId,
      senderNid: requester.userNid,
      typeNid,
      key,
    });
    if (existing === undefined) return;
    // The same request again is no duplicate: its answer comes from its transaction ID.
    const repeated = await this.#parts.eventStore.byTransaction({
      userNid: requester.userNid,
      deviceId: requester.deviceId,
      transactionId: event.transaction?.id ?? "",
      roomNid: room.roomNid,
      typeNid,
      targetId: "",
    });
    if (repeated !== undefined) return;
    throw new MatrixError("M_DUPLICATE_ANNOTATION", "You have already reacted to this event with this key");
  }

  /** Aliases that the room did not have before must exist and name this room. */
  async #checkAliases(room: Room, content: JsonObject): Promise<void> {
    const { alt_aliases: alternatives } = content;
    if (alternatives !== undefined && !Array.isArray(alternatives)) {
      throw new MatrixError("M_INVALID_PARAM", "alt_aliases must be a list");
    }
    const current = await this.#parts.state.event(room, "m.room.canonical_alias", "");
    const known = new Set(current ? aliasesIn(current.content) : []);
    const wanted = aliasesIn(content);
    if (wanted.length > maxAlternativeAliases) {
      throw new MatrixError("M_INVALID_PARAM", `alt_aliases has more than ${maxAlternativeAliases} entries`);
    }
    for (const alias of wanted) {
      if (known.has(alias)) continue;
      if (typeof alias !== "string" || parseRoomAlias(alias) === undefined) {
        throw new MatrixError(
          "M_INVALID_PARAM",
          `${JSON.stringify(alias).slice(0, 300)} is not a room alias`,
        );
      }
      const row = await this.#parts.rooms.alias(alias);
      if (row?.roomNid !== room.roomNid)
        throw new MatrixError("M_BAD_ALIAS", `${alias} does not name this room`);
    }
  }
}

function aliasesIn(content: JsonObject): JsonValue[] {
  const { alias, alt_aliases: alternatives } = content;
  const main = alias === undefined || alias === null || alias === "" ? [] : [alias];
  return [...main, ...(Array.isArray(alternatives) ? alternatives : [])];
}

function idOf(stored: StoredEvent): EventId {
  return stored.eventId as EventId;
}
