import { boundedCache } from "../../cache/bounded-cache.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import type { Room } from "../../state/room-index.ts";
import type { RoomParticipation } from "../room-participation.ts";

/** Somebody waits: a room has many servers. */
const maxServers = 4;
/** A server that does not help with one thing is left alone for this long. */
const restMs = 60_000;
const maxResting = 10_000;

/** Which servers of a room are asked for its history, in order. */
export class HistoryServers {
  readonly #participation: Pick<RoomParticipation, "isJoined" | "serversOf" | "others" | "admits">;
  readonly #resting = boundedCache<ServerName, true>(maxResting);

  constructor(participation: Pick<RoomParticipation, "isJoined" | "serversOf" | "others" | "admits">) {
    this.#participation = participation;
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

  /** To be told of a server that could not be reached. */
  failed(server: ServerName): void {
    this.#resting.set(server, true, { ttl: restMs });
  }
}
