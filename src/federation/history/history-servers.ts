import type { ServerName } from "../../protocol/identifiers.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Room } from "../../state/room-index.ts";
import type { HeardServers } from "../heard-servers.ts";
import { RestingServers } from "../resting-servers.ts";
import type { RoomParticipation } from "../room-participation.ts";

/** Somebody waits: a room has many servers. */
const maxServers = 4;
/** A server that does not help with one thing is left alone for this long. */
const restMs = 60_000;
/** More than are asked at a time; in a room with so many dead servers the rest is waited for. */
const maxAwaited = 20;

type RoomServerNames = Pick<RoomParticipation, "isJoined" | "serversOf" | "others" | "admits">;

/** Which servers of a room are asked for its history, in order. */
export class HistoryServers {
  readonly #participation: RoomServerNames;
  readonly #resting: RestingServers;

  constructor(participation: RoomServerNames, clock: Clock, heard: HeardServers) {
    this.#participation = participation;
    this.#resting = new RestingServers(restMs, clock, heard);
  }

  /**
   * None where this server is in the room no more, since nobody would answer.
   * @param likely servers that may know more than others; the first is asked first
   */
  async of(room: Room, likely: readonly ServerName[]): Promise<readonly ServerName[]> {
    if (!(await this.#participation.isJoined(room))) return [];
    const inRoom = await this.#participation.serversOf(room);
    const known = new Set(inRoom);
    const ordered = this.#participation.others([...likely.filter((server) => known.has(server)), ...inRoom]);
    return ordered.filter((server) => !this.#resting.has(server)).slice(0, maxServers);
  }

  /** Servers of a room that are left alone for now, and might help later. */
  async restingIn(room: Room): Promise<readonly ServerName[]> {
    const inRoom = await this.#participation.serversOf(room);
    return inRoom.filter((server) => this.#resting.has(server)).slice(0, maxAwaited);
  }

  /** Whether some servers are still left alone, all of them. */
  allRest(servers: readonly ServerName[]): boolean {
    return servers.every((server) => this.#resting.has(server));
  }

  /** To be told of a server that could not be reached. */
  failed(server: ServerName): void {
    this.#resting.add(server);
  }
}
