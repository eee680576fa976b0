import type { ServerName } from "../../protocol/identifiers.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Room } from "../../state/room-index.ts";
import type { HeardServers } from "../heard-servers.ts";
import { FederationError } from "../federation-client.ts";
import { ToldStateError } from "../inbound/told-state.ts";
import { RestingServers } from "../resting-servers.ts";
import type { RoomParticipation } from "../room-participation.ts";
import type { Logger } from "../../telemetry/log.ts";
import { staggered } from "./staggered.ts";

/** Somebody waits: a room has many servers. */
const maxServers = 4;
/** A server that does not help with one thing is left alone for this long. */
const restMs = 60_000;
/** More than are asked at a time; in a room with so many dead servers the rest is waited for. */
const maxAwaited = 20;

type RoomServerNames = Pick<RoomParticipation, "isJoined" | "serversOf" | "others" | "admits">;

/** Asks the servers of rooms for their history, those first that are likely to know more. */
export class HistoryServers {
  readonly #participation: RoomServerNames;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #resting: RestingServers;

  constructor(participation: RoomServerNames, clock: Clock, heard: HeardServers, log: Logger) {
    this.#participation = participation;
    this.#clock = clock;
    this.#log = log;
    this.#resting = new RestingServers(restMs, clock, heard);
  }

  /**
   * What servers of a room answer, as it comes; failures are left out. Nobody is asked any more once nobody reads on, nor
   * where this server is in the room no more, since nobody would answer.
   * @param likely servers that may know more than others; the first is asked first
   * @param ask is told when its answer is of no use any more
   */
  async *answers<Answer>(
    room: Room,
    likely: readonly ServerName[],
    ask: (server: ServerName, signal: AbortSignal) => Promise<Answer>,
  ): AsyncGenerator<Answer> {
    const staggering = { clock: this.#clock, tooSlow: (server: ServerName) => this.#failed(server) };
    const outcomes = staggered(await this.#of(room, likely), staggering, async (server, signal) => {
      try {
        return { answer: await ask(server, signal) };
      } catch (error) {
        if (!(error instanceof FederationError || error instanceof ToldStateError)) throw error;
        const isOutOfReach = error instanceof FederationError && error.failure === "unreachable";
        if (isOutOfReach && !signal.aborted) this.#failed(server);
        this.#log.debug({ err: error, server, roomId: room.roomId }, "a server does not help with history");
        return undefined;
      }
    });
    for await (const outcome of outcomes) if (outcome) yield outcome.answer;
  }

  async #of(room: Room, likely: readonly ServerName[]): Promise<readonly ServerName[]> {
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

  #failed(server: ServerName): void {
    this.#resting.add(server);
  }
}
