import type { EventId, RoomId, ServerName, UserId } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import { supportedRoomVersions, unstableRoomVersions } from "../../protocol/room-versions.ts";
import type { FederationClient } from "../federation-client.ts";
import { objectOf, wrongAnswer } from "./answers.ts";

/** What a server answers to those who want to do something in a room that they are not in. */
export interface MembershipTemplate {
  /** The room version's ID, unchecked. */
  readonly version: string;
  readonly event: JsonObject;
}

/** A room as its server tells it to one that joins. */
export interface JoinedRoomState {
  readonly state: readonly JsonValue[];
  readonly authChain: readonly JsonValue[];
  /** The join as the room has it: perhaps with another server's signature. */
  readonly event: JsonValue | undefined;
}

const path = "/_matrix/federation";
const knownVersions = [...supportedRoomVersions, ...unstableRoomVersions];
const joinTimeoutMs = 10 * 60_000;
/** A room with a hundred thousand members. */
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
    });
    const { room_version: version = "1", event } = objectOf(answer);
    if (typeof version !== "string" || !isJsonObject(event)) throw wrongAnswer("no event to sign");
    return { version, event };
  }

  /** @throws FederationError */
  async join(
    destination: ServerName,
    roomId: RoomId,
    eventId: EventId,
    body: JsonValue,
  ): Promise<JoinedRoomState> {
    const answer = objectOf(
      await this.#client.request({
        destination,
        method: "PUT",
        uri: `${path}/v2/send_join/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`,
        body,
        timeoutMs: joinTimeoutMs,
        maxResponseBytes: maxStateBytes,
      }),
    );
    const { state, auth_chain: authChain, event } = answer;
    if (!Array.isArray(state) || !Array.isArray(authChain)) throw wrongAnswer("no state");
    return { state, authChain, event };
  }

  /** @throws FederationError */
  async leave(destination: ServerName, roomId: RoomId, eventId: EventId, body: JsonValue): Promise<void> {
    await this.#client.request({
      destination,
      method: "PUT",
      uri: `${path}/v2/send_leave/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`,
      body,
    });
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
      uri: `${path}/v1/send_knock/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`,
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
    const answer = await this.#client.request({
      destination,
      method: "PUT",
      uri: `${path}/v2/invite/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`,
      body: {
        event: invite.event,
        room_version: invite.version,
        invite_room_state: [...invite.strippedState],
      },
    });
    const { event } = objectOf(answer);
    if (event === undefined) throw wrongAnswer("no event");
    return event;
  }
}
