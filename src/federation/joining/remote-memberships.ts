import type { RoomOutliers } from "../../ingest/room-outliers.ts";
import type { RoomReceiver } from "../../ingest/room-receiver.ts";
import type { RoomWriter } from "../../ingest/room-writer.ts";
import { eventReferences } from "../../protocol/event-builder.ts";
import type { EventId, RoomId, ServerName, UserId } from "../../protocol/identifiers.ts";
import { domainOf, parseRoomId, parseUserId, serverNameOf } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { isServerName } from "../../protocol/server-name.ts";

import type { LocalUser } from "../../services/local-user.ts";
import type { RemoteRooms } from "../../services/rooms/remote-rooms.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { Room } from "../../state/room-index.ts";
import type { EventStore } from "../../storage/events.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { FederationClient } from "../federation-client.ts";
import { FederationError } from "../federation-client.ts";
import { type PduChecks, RefusedPduError } from "../inbound/pdu-checks.ts";
import type { MembershipRequests } from "../requests/membership-requests.ts";
import type { RoomParticipation } from "../room-participation.ts";
import { strippedTexts } from "../stripped-state.ts";
import { firstThatWorks, matrixError } from "./first-that-works.ts";
import type { RemoteJoins } from "./remote-joins.ts";
import type { MembershipSigner } from "./signed-membership.ts";
import type { VouchedJoins } from "./vouched-joins.ts";

export interface RemoteMembershipsParts {
  readonly client: FederationClient;
  readonly requests: MembershipRequests;
  readonly signer: MembershipSigner;
  readonly joins: RemoteJoins;
  readonly vouchedJoins: VouchedJoins;
  readonly checks: PduChecks;
  readonly writer: RoomWriter;
  readonly receiver: RoomReceiver;
  readonly outliers: RoomOutliers;
  readonly events: EventReader;
  readonly eventStore: Pick<EventStore, "strippedState">;
  readonly memberships: Pick<MembershipStore, "of">;
  readonly participation: RoomParticipation;
  /** What those outside are shown of a room, as JSON texts. */
  readonly strippedStateOf: (room: Room, inviter: UserId) => Promise<readonly string[]>;
  readonly log: Logger;
}

const maxServers = 20;
/** It holds here though none of them can be reached, and somebody waits. */
const maxServersToldOfLeave = 3;

/** Does with other servers what users do in rooms in which nobody of this server is, and invites users of others. */
export class RemoteMemberships implements RemoteRooms {
  readonly #parts: RemoteMembershipsParts;

  constructor(parts: RemoteMembershipsParts) {
    this.#parts = parts;
  }

  isHere(room: Room): Promise<boolean> {
    return this.#parts.participation.isJoined(room);
  }

  async join(
    user: LocalUser,
    roomId: RoomId,
    servers: readonly ServerName[],
    content: JsonObject,
  ): Promise<Room | undefined> {
    const candidates = await this.#candidates(user, roomId, servers);
    try {
      return await this.#parts.joins.join(user, roomId, candidates, content, (room) => this.isHere(room));
    } catch (error) {
      const isOutOfReach = error instanceof MatrixError && error.errcode === "M_CONNECTION_FAILED";
      if (!isOutOfReach || !(await this.#isBanned(user, roomId))) throw error;
      throw new MatrixError("M_FORBIDDEN", `${user.userId} is banned from this room`);
    }
  }

  joinVouched(
    user: LocalUser,
    room: Room,
    servers: readonly ServerName[],
    content: JsonObject,
  ): Promise<void> {
    const { participation, vouchedJoins } = this.#parts;
    return vouchedJoins.join(user, room, participation.others(servers), content);
  }

  async knock(
    user: LocalUser,
    roomId: RoomId,
    servers: readonly ServerName[],
    content: JsonObject,
  ): Promise<Room> {
    const { requests, signer, outliers } = this.#parts;
    return firstThatWorks(await this.#candidates(user, roomId, servers), async (server) => {
      const template = await requests.template(server, "knock", roomId, user.userId);
      const knock = signer.sign(template, roomId, user.userId, content);
      const body = knock.event.pdu as unknown as JsonValue;
      const state = await requests.knock(server, roomId, knock.event.eventId, body);
      const version = signer.versionOf(template);
      const room = await outliers.adopt(roomId, version);
      if (room.version.id !== version.id) {
        throw new FederationError("unreachable", "The server says that the room has another version.");
      }
      await outliers.storeMembership(room, knock, strippedTexts(state));
      return room;
    });
  }

  async leave(user: LocalUser, room: Room, content: JsonObject): Promise<void> {
    const { requests, signer, outliers, log } = this.#parts;
    try {
      const servers = await this.#candidates(user, room.roomId, []);
      const leave = await firstThatWorks(servers.slice(0, maxServersToldOfLeave), async (server) => {
        const template = await requests.template(server, "leave", room.roomId, user.userId);
        const signed = signer.sign(
          { ...template, version: room.version.id },
          room.roomId,
          user.userId,
          content,
        );
        await requests.leave(
          server,
          room.roomId,
          signed.event.eventId,
          signed.event.pdu as unknown as JsonValue,
        );
        return signed;
      });
      await outliers.storeMembership(room, leave, []);
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      // An invite can be refused though the server that it came from has gone for ever.
      log.info({ err: error, roomId: room.roomId }, "no other server could be told that a user has left");
      await this.#leaveAlone(user, room, content);
    }
  }

  async invite(inviter: UserId, room: Room, userId: UserId, content: JsonObject): Promise<EventId> {
    const { requests, writer, receiver, checks, strippedStateOf } = this.#parts;
    const local = { type: "m.room.member", stateKey: userId, sender: inviter, content };
    const { event } = await writer.prepare(room, local);
    const texts = await strippedStateOf(room, inviter);
    try {
      const answer = await requests.invite(serverNameOf(userId), room.roomId, event.eventId, {
        event: event.pdu as unknown as JsonValue,
        version: room.version.id,
        strippedState: texts.map((text) => JSON.parse(text) as JsonValue),
      });
      const received = await checks.checkNamed(room, event.eventId, answer);
      const [receipt] = await receiver.receive(room, [received]);
      if (receipt?.verdict === "accepted" || receipt?.verdict === "known") return event.eventId;
      throw new MatrixError("M_FORBIDDEN", receipt?.reason ?? "The room's rules do not allow it");
    } catch (error) {
      if (error instanceof FederationError) throw matrixError(error);
      if (error instanceof RefusedPduError) {
        throw new MatrixError("M_BAD_STATUS", `The user's server has not taken the invite: ${error.message}`);
      }
      throw error;
    }
  }

  async exchangeInvite(inviter: UserId, roomId: RoomId, userId: UserId, signed: JsonObject): Promise<void> {
    try {
      const invite = { roomId, sender: inviter, userId, signed };
      await this.#parts.requests.exchangeInvite(serverNameOf(inviter), invite);
    } catch (error) {
      if (error instanceof FederationError) throw matrixError(error);
      throw error;
    }
  }

  serversOf(room: Room): Promise<readonly ServerName[]> {
    return this.#parts.participation.serversOf(room);
  }

  async resolveAlias(
    alias: string,
    server: ServerName,
  ): Promise<{ roomId: RoomId; servers: readonly ServerName[] }> {
    try {
      const answer = await this.#parts.client.request({
        destination: server,
        method: "GET",
        uri: `/_matrix/federation/v1/query/directory?room_alias=${encodeURIComponent(alias)}`,
      });
      const { room_id: text, servers } = isJsonObject(answer) ? answer : {};
      const roomId = typeof text === "string" ? parseRoomId(text) : undefined;
      if (roomId === undefined) throw new MatrixError("M_NOT_FOUND", `${alias} leads to no room`);
      const named = Array.isArray(servers) ? servers.filter((name) => typeof name === "string") : [];
      const all = new Set([server, ...named.slice(0, maxServers).filter(isServerName)]);
      return { roomId, servers: [...all].slice(0, maxServers) };
    } catch (error) {
      if (error instanceof FederationError) throw matrixError(error);
      throw error;
    }
  }

  /**
   * Servers that may be in a room: those that the client names and that of who has invited the user. Where the client
   * names none it is that of the room's ID too, those that have been in the room as far as is known here, and those of
   * which users have made what was shown of it.
   */
  async #candidates(
    user: LocalUser,
    roomId: RoomId,
    named: readonly ServerName[],
  ): Promise<readonly ServerName[]> {
    const { memberships, events, participation } = this.#parts;
    const candidates = [...named];
    const room = await participation.find(roomId);
    const row = room && (await memberships.of(room.roomNid, user.userNid));
    const inviter = row && parseUserId((await events.roomEvent(row.eventNid)).sender);
    if (inviter) candidates.push(serverNameOf(inviter));
    if (named.length > 0) return participation.others(candidates);
    const home = domainOf(roomId);
    if (home) candidates.push(home);
    if (room) candidates.push(...(await participation.serversOf(room)));
    if (row) candidates.push(...(await this.#shownBy(row.eventNid)));
    return participation.others(candidates);
  }

  /** As far as is known here; they may have been unbanned since nobody of this server is in the room. */
  async #isBanned(user: LocalUser, roomId: RoomId): Promise<boolean> {
    const { memberships, participation } = this.#parts;
    const room = await participation.find(roomId);
    return room !== undefined && (await memberships.of(room.roomNid, user.userNid))?.membership === "ban";
  }

  async #shownBy(memberEventNid: number): Promise<ServerName[]> {
    const texts = (await this.#parts.eventStore.strippedState(memberEventNid)) ?? [];
    return texts.flatMap((text) => {
      const { sender } = JSON.parse(text) as { readonly sender: string };
      const userId = parseUserId(sender);
      return userId === undefined ? [] : [serverNameOf(userId)];
    });
  }

  /** An event of its own in the place of one that others know: it follows the invite that it refuses. */
  async #leaveAlone(user: LocalUser, room: Room, content: JsonObject): Promise<void> {
    const { memberships, events, signer, outliers } = this.#parts;
    const row = await memberships.of(room.roomNid, user.userNid);
    if (!row) return;
    const refused = await events.roomEvent(row.eventNid);
    const references = eventReferences(room.version, [refused]) as JsonValue[];
    const depth = Math.min(refused.depth + 1, Number.MAX_SAFE_INTEGER);
    const template = { depth, prev_events: references, auth_events: references };
    const leave = signer.sign(
      { version: room.version.id, event: template },
      room.roomId,
      user.userId,
      content,
    );
    await outliers.storeMembership(room, leave, []);
  }
}
