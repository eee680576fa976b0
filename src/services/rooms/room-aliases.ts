import type { AliasChanges } from "../../appservices/alias-changes.ts";
import type { ExistenceQuery } from "../../appservices/existence-queries.ts";
import type { AppserviceRegistry } from "../../appservices/registry.ts";
import type { Requester } from "../../auth/requester.ts";
import type { RoomWriter } from "../../ingest/room-writer.ts";
import { parseRoomAlias, type RoomAlias, serverNameOf, type ServerName } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { CurrentState } from "../../state/current-state.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { AliasRow, RoomStore } from "../../storage/rooms.ts";
import { isServerName } from "../../protocol/server-name.ts";
import { namedRoomId } from "../named-ids.ts";
import type { LocatedRoom, RemoteRooms } from "./remote-rooms.ts";
import type { RoomAccess } from "./room-access.ts";

/** An alias for each of these is enough for any room, and keeps one room from filling the table. */
const maxAliasesPerRoom = 1_000;
/** A server that wants to join needs a few to choose from. */
const maxServersTold = 50;

export interface RoomAliasesParts {
  readonly serverName: ServerName;
  readonly store: RoomStore;
  readonly rooms: RoomIndex;
  readonly access: RoomAccess;
  readonly state: CurrentState;
  readonly writer: RoomWriter;
  readonly appservices: RoomAliasAppservices;
  /** Absent where this server talks with no others. */
  readonly remote: RemoteRooms | undefined;
}

/** What application services have to do with aliases. */
export interface RoomAliasAppservices {
  readonly registry: Pick<AppserviceRegistry, "checkAlias">;
  readonly queries: { readonly aliases: ExistenceQuery<RoomAlias> };
  readonly aliasChanges: Pick<AliasChanges, "changed">;
}

/** Names for rooms on this server (client-server API, "Room aliases"). */
export class RoomAliases {
  readonly #serverName: ServerName;
  readonly #store: RoomStore;
  readonly #rooms: RoomIndex;
  readonly #access: RoomAccess;
  readonly #state: CurrentState;
  readonly #writer: RoomWriter;
  readonly #appservices: RoomAliasAppservices;
  readonly #remote: RemoteRooms | undefined;

  constructor(parts: RoomAliasesParts) {
    this.#serverName = parts.serverName;
    this.#store = parts.store;
    this.#rooms = parts.rooms;
    this.#access = parts.access;
    this.#state = parts.state;
    this.#writer = parts.writer;
    this.#appservices = parts.appservices;
    this.#remote = parts.remote;
  }

  /**
   * The room of an alias of this server. One that is not there may come to be when an application service is asked for it.
   * @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM; UnansweredQueryError
   */
  async resolve(text: string): Promise<Room> {
    const alias = aliasOf(text);
    const row = (await this.#store.alias(alias)) ?? (await this.#askFor(alias));
    if (!row) throw new MatrixError("M_NOT_FOUND", `${alias} is no room that this server knows`);
    return this.#rooms.byNid(row.roomNid);
  }

  async #askFor(alias: RoomAlias): Promise<AliasRow | undefined> {
    if (serverNameOf(alias) !== this.#serverName) return undefined;
    return (await this.#appservices.queries.aliases.ask(alias)) ? this.#store.alias(alias) : undefined;
  }

  /**
   * Where the room is that a path names by ID or alias.
   * @param via servers that the client names, unchecked
   * @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM
   */
  async locate(text: string, via: readonly string[]): Promise<LocatedRoom> {
    const named = via.filter(isServerName);
    if (!text.startsWith("#")) return { roomId: namedRoomId(text), servers: named };
    const { roomId, servers } = await this.find(text);
    return { roomId, servers: [...named, ...servers] };
  }

  /**
   * Where the room of an alias is; the server that has made the alias is asked.
   * @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM and what that server answers; UnansweredQueryError
   */
  async find(text: string): Promise<LocatedRoom> {
    const alias = aliasOf(text);
    const server = serverNameOf(alias);
    if (server !== this.#serverName && this.#remote) return this.#remote.resolveAlias(alias, server);
    const room = await this.resolve(alias);
    const others = (await this.#remote?.serversOf(room)) ?? [];
    return { roomId: room.roomId, servers: [this.#serverName, ...others].slice(0, maxServersTold) };
  }

  /** The room that a path names by ID or alias. @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM */
  byIdOrAlias(text: string): Promise<Room> {
    return text.startsWith("#") ? this.resolve(text) : this.#access.room(text);
  }

  /**
   * @throws MatrixError M_CONFLICT when the alias is taken, M_FORBIDDEN for who is not in the room, M_INVALID_PARAM,
   *   M_EXCLUSIVE for what is reserved, and for application services for what is not theirs
   */
  async add(requester: Requester, text: string, roomId: string): Promise<void> {
    const alias = aliasOf(text);
    if (serverNameOf(alias) !== this.#serverName) {
      throw new MatrixError(
        "M_INVALID_PARAM",
        `Only aliases that end in :${this.#serverName} can be made here`,
      );
    }
    this.#appservices.registry.checkAlias(alias, requester);
    // Application services have "full control" over their namespaces.
    const isOwner = requester.appserviceId !== undefined;
    const room = isOwner ? await this.#access.room(roomId) : await this.#access.joinedRoom(roomId, requester);
    if ((await this.#store.aliasesOf(room.roomNid)).length >= maxAliasesPerRoom) {
      throw new MatrixError("M_FORBIDDEN", `A room has at most ${maxAliasesPerRoom} aliases`);
    }
    const added = await this.#store.addAlias({ alias, roomNid: room.roomNid, creatorNid: requester.userNid });
    if (!added) throw new MatrixError("M_CONFLICT", `${alias} is taken`);
    this.#appservices.aliasChanges.changed(room.roomNid);
  }

  /**
   * @throws MatrixError M_NOT_FOUND, M_FORBIDDEN for who neither made it nor may set the room's main alias, M_EXCLUSIVE as
   *   `add`
   */
  async remove(requester: Requester, text: string): Promise<void> {
    const alias = aliasOf(text);
    const row = await this.#store.alias(alias);
    if (!row) throw new MatrixError("M_NOT_FOUND", `${alias} is no room that this server knows`);
    this.#appservices.registry.checkAlias(alias, requester);
    const allowed =
      requester.appserviceId !== undefined ||
      row.creatorNid === requester.userNid ||
      requester.isAdmin ||
      (await this.#maySetMainAlias(requester, row.roomNid));
    if (!allowed)
      throw new MatrixError("M_FORBIDDEN", "Only who made an alias or manages the room may remove it");
    await this.#store.removeAlias(alias);
    this.#appservices.aliasChanges.changed(row.roomNid);
    await this.#dropFromState(requester, await this.#rooms.byNid(row.roomNid), alias);
  }

  /** The room's aliases on this server. @throws MatrixError M_FORBIDDEN for who is not in the room */
  async list(requester: Requester, roomId: string): Promise<string[]> {
    const room = await this.#access.room(roomId);
    const visibility = await this.#state.event(room, "m.room.history_visibility", "");
    const isWorldReadable = visibility?.content["history_visibility"] === "world_readable";
    if (!isWorldReadable) await this.#access.joinedRoom(roomId, requester);
    return (await this.#store.aliasesOf(room.roomNid)).map((row) => row.alias);
  }

  /** Whether the room is in this server's directory. */
  async isPublic(roomId: string): Promise<boolean> {
    const room = await this.#access.room(roomId);
    return (await this.#store.byId(room.roomId))?.isPublic ?? false;
  }

  /** @throws MatrixError M_FORBIDDEN for who does not manage the room */
  async setPublic(requester: Requester, roomId: string, isPublic: boolean): Promise<void> {
    const room = await this.#access.room(roomId);
    if (!requester.isAdmin && !(await this.#maySetMainAlias(requester, room.roomNid))) {
      throw new MatrixError("M_FORBIDDEN", "Only who manages the room may list it in the directory");
    }
    await this.#store.setPublic(room.roomNid, isPublic);
  }

  /**
   * Takes a removed alias out of the room's own list as well. "Servers which choose to update the canonical alias event are
   * recommended to [...] return a successful response even if the user does not have permission" to do that.
   */
  async #dropFromState(requester: Requester, room: Room, alias: RoomAlias): Promise<void> {
    const type = "m.room.canonical_alias";
    try {
      await this.#writer.decide(room, async (state) => {
        const content = withoutAlias((await state.event(type, ""))?.content, alias);
        return content ? [{ type, stateKey: "", sender: requester.userId, content }] : [];
      });
    } catch (error) {
      if (!(error instanceof MatrixError) || error.errcode !== "M_FORBIDDEN") throw error;
    }
  }

  async #maySetMainAlias(requester: Requester, roomNid: number): Promise<boolean> {
    const room = await this.#rooms.byNid(roomNid);
    if ((await this.#access.membership(room, requester)) !== "join") return false;
    const levels = await this.#state.powerLevels(room);
    return levels.userLevel(requester.userId) >= levels.eventLevel("m.room.canonical_alias", true);
  }
}

/** The content of `m.room.canonical_alias` without an alias; `undefined` when it does not have it. */
function withoutAlias(content: JsonObject | undefined, removed: RoomAlias): JsonObject | undefined {
  const { alias, alt_aliases: alternatives, ...others } = content ?? {};
  const listed = Array.isArray(alternatives) ? alternatives : [];
  if (alias !== removed && !listed.includes(removed)) return undefined;
  const left = listed.filter((each) => each !== removed);
  return {
    ...others,
    ...(alias !== undefined && alias !== removed && { alias }),
    ...(left.length > 0 && { alt_aliases: left }),
  };
}

function aliasOf(text: string): RoomAlias {
  const alias = parseRoomAlias(text);
  if (alias === undefined) {
    throw new MatrixError("M_INVALID_PARAM", `${text.slice(0, 300)} is not a room alias: it is #name:server`);
  }
  return alias;
}
