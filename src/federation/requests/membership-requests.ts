import type { EventId, RoomId, ServerName, UserId } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import { supportedRoomVersions, unstableRoomVersions } from "../../protocol/room-versions.ts";
import { type FederationClient, FederationError } from "../federation-client.ts";
import { isServerName } from "../../protocol/server-name.ts";
import { objectOf, wrongAnswer } from "./answers.ts";
import { type ItemTaker, readListedAnswer } from "./listed-answer.ts";
import { withoutStatus } from "./first-form.ts";

/** What a server answers to those who want to do something in a room that they are not in. */
export interface MembershipTemplate {
  /** The room version's ID, unchecked. */
  readonly version: string;
  readonly event: JsonObject;
}

/** A join that the user's server has signed, and where it goes. */
export interface SignedJoin {
  readonly destination: ServerName;
  readonly roomId: RoomId;
  readonly eventId: EventId;
  readonly body: JsonValue;
}

/** What a server answers beside the events of the room into which it has let somebody. */
export interface JoinAnswer {
  /** The join as the room has it: perhaps with another server's signature. */
  readonly event: JsonValue | undefined;
  /** Whether its state lacks members. */
  readonly membersOmitted: boolean;
  /** The servers that were in the room before, where it says so. */
  readonly servers: readonly ServerName[];
}

const path = "/_matrix/federation";
const knownVersions = [...supportedRoomVersions, ...unstableRoomVersions];
/** No room has more. */
const maxServers = 100_000;
/** Whoever refuses an invite can do so without the other server. */
const leaveTimeoutMs = 10_000;
const joinTimeoutMs = 10 * 60_000;
/** A room with some hundred thousand members. */
const maxStateBytes = 512 * 1024 * 1024;

/** The handshakes of memberships, as this server makes them with others (server-server API). */
export class MembershipRequests {
  readonly #client: FederationClient;

  constructor(client: FederationClient) {
    this.#client = client;
  }

  /** @throws FederationError */
  async template(
    destination: ServerName,
    membership: "join" | "leave" | "knock",
    roomId: RoomId,
    userId: UserId,
  ): Promise<MembershipTemplate> {
    const versions =
      membership === "leave"
        ? ""
        : `?${knownVersions.map((id) => `ver=${encodeURIComponent(id)}`).join("&")}`;
    const answer = await this.#client.request({
      destination,
      method: "GET",
      uri: `${path}/v1/make_${membership}/${encodeURIComponent(roomId)}/${encodeURIComponent(userId)}${versions}`,
      ...(membership === "leave" && { timeoutMs: leaveTimeoutMs }),
    });
    const { room_version: version = "1", event } = objectOf(answer);
    if (typeof version !== "string" || !isJsonObject(event)) throw wrongAnswer("no event to sign");
    if (!isMembership(event, roomId, userId, membership)) throw wrongAnswer("another event to sign");
    return { version, event };
  }

  /**
   * The server may leave members out.
   * @param begin called once the server has agreed; the room's events (`state`, `auth_chain`) go where it leads them
   * @throws FederationError
   */
  join(
    { destination, roomId, eventId, body }: SignedJoin,
    begin: () => Promise<ItemTaker>,
  ): Promise<JoinAnswer> {
    const request = { destination, method: "PUT", body, timeoutMs: joinTimeoutMs } as const;
    const kept = ["event", "members_omitted", "servers_in_room"];
    const options = { lists: ["auth_chain", "state"], kept, maxBytes: maxStateBytes };
    const read = async (answer: AsyncIterable<Buffer>): Promise<JoinAnswer> => {
      const members = await readListedAnswer(answer, options, await begin());
      const servers = members.get("servers_in_room");
      return {
        event: members.get("event"),
        membersOmitted: members.get("members_omitted") === true,
        servers: Array.isArray(servers) ? servers.slice(0, maxServers).filter(isName) : [],
      };
    };
    const where = `send_join/${pathOf(roomId, eventId)}`;
    return inEitherForm(
      () =>
        this.#client.stream({ ...request, uri: `${path}/v2/${where}?omit_members=true` }, (answer) =>
          read(answer.body),
        ),
      () =>
        this.#client.stream({ ...request, uri: `${path}/v1/${where}` }, (answer) =>
          read(withoutStatus(answer.body)),
        ),
    );
  }

  /** @throws FederationError */
  async leave(destination: ServerName, roomId: RoomId, eventId: EventId, body: JsonValue): Promise<void> {
    const request = { destination, method: "PUT", body } as const;
    const where = `send_leave/${pathOf(roomId, eventId)}`;
    await inEitherForm(
      () => this.#client.request({ ...request, uri: `${path}/v2/${where}` }),
      () => this.#client.request({ ...request, uri: `${path}/v1/${where}` }),
    );
  }

  /** @returns the room's stripped state. @throws FederationError */
  async knock(
    destination: ServerName,
    roomId: RoomId,
    eventId: EventId,
    body: JsonValue,
  ): Promise<readonly JsonValue[]> {
    const answer = await this.#client.request({
      destination,
      method: "PUT",
      uri: `${path}/v1/send_knock/${pathOf(roomId, eventId)}`,
      body,
    });
    const { knock_room_state: state } = objectOf(answer);
    return Array.isArray(state) ? state : [];
  }

  /** @returns the event with the signature of the invited user's server. @throws FederationError */
  async invite(
    destination: ServerName,
    roomId: RoomId,
    eventId: EventId,
    invite: {
      readonly event: JsonValue;
      readonly version: string;
      readonly strippedState: readonly JsonValue[];
    },
  ): Promise<JsonValue> {
    const { event, version, strippedState } = invite;
    const request = { destination, method: "PUT" } as const;
    const where = `invite/${pathOf(roomId, eventId)}`;
    try {
      const body = { event, room_version: version, invite_room_state: [...strippedState] };
      const answer = await this.#client.request({ ...request, uri: `${path}/v2/${where}`, body });
      return eventOf(objectOf(answer));
    } catch (error) {
      // "Senders which receive a 400 or 404 response to this endpoint should retry using the v1 API as the server may be
      // older, if the room version is "1" or "2"."
      const isOld = error instanceof FederationError && (error.status === 400 || error.status === 404);
      if (!isOld || !versionsOfV1.has(version) || !isJsonObject(event)) throw error;
      const unsigned = isJsonObject(event["unsigned"]) ? event["unsigned"] : {};
      const body = { ...event, unsigned: { ...unsigned, invite_room_state: [...strippedState] } };
      const answer = await this.#client.request({ ...request, uri: `${path}/v1/${where}`, body });
      return eventOf(answerInV1(answer));
    }
  }

  /** Has a third-party invite made a proper one. @throws FederationError */
  async exchangeInvite(
    destination: ServerName,
    invite: {
      readonly roomId: RoomId;
      readonly sender: UserId;
      readonly userId: UserId;
      readonly signed: JsonObject;
    },
  ): Promise<void> {
    await this.#client.request({
      destination,
      method: "PUT",
      uri: `${path}/v1/exchange_third_party_invite/${encodeURIComponent(invite.roomId)}`,
      body: {
        type: "m.room.member",
        room_id: invite.roomId,
        sender: invite.sender,
        state_key: invite.userId,
        content: { membership: "invite", third_party_invite: { display_name: "", signed: invite.signed } },
      },
    });
  }
}

/** The room versions that there were when there was no second form of invites. */
const versionsOfV1: ReadonlySet<string> = new Set(["1", "2"]);

/** Asks in the second form of a request, and where a server does not know that in the first. @throws FederationError */
async function inEitherForm<Result>(
  second: () => Promise<Result>,
  first: () => Promise<Result>,
): Promise<Result> {
  try {
    return await second();
  } catch (error) {
    if (error instanceof FederationError && isUnknownEndpoint(error)) return first();
    throw error;
  }
}

/** Server-server API, "Unsupported endpoints"; servers of old answer without an error code. */
function isUnknownEndpoint({ status, errcode }: FederationError): boolean {
  if (errcode === undefined) return status === 404 || status === 405;
  return errcode === "M_UNRECOGNIZED";
}

/** The first form has a status before the answer proper: `[200, {…}]`. */
function answerInV1(answer: JsonValue): JsonObject {
  return objectOf(Array.isArray(answer) ? (answer[1] ?? null) : answer);
}

function eventOf({ event }: JsonObject): JsonValue {
  if (event === undefined) throw wrongAnswer("no event");
  return event;
}

/**
 * "Before signing the returned template […] the sending server MUST verify" that it is what was asked for. A member who
 * signed something else would have said it.
 */
function isMembership(event: JsonObject, roomId: RoomId, userId: UserId, membership: string): boolean {
  const { type, room_id: room, sender, state_key: stateKey, content } = event;
  const isOfUser = sender === userId && stateKey === userId;
  const said = isJsonObject(content) ? content["membership"] : undefined;
  return type === "m.room.member" && room === roomId && isOfUser && said === membership;
}

function pathOf(roomId: RoomId, eventId: EventId): string {
  return `${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`;
}

function isName(value: JsonValue): value is ServerName {
  return typeof value === "string" && isServerName(value);
}
