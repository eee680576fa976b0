import { boundedCache } from "../../cache/bounded-cache.ts";
import { withinTime } from "../../concurrency/within-time.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import type { GapOutcome } from "../../services/reading/remote-history.ts";
import type { Room } from "../../state/room-index.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { HistoryServers } from "./history-servers.ts";

export interface QuestionsParts {
  readonly servers: Pick<HistoryServers, "allRest" | "restingIn">;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * After all servers have failed, for this long nobody is asked, unless one that was out of reach is back: anybody can name
 * events that do not exist.
 */
const restMs = 60_000;
const maxResting = 10_000;

/** Questions about what is missing of rooms: all who ask the same wait for one answer, each for as long as they like. */
export class Questions {
  readonly #parts: QuestionsParts;
  readonly #maxUnderWay: number;
  readonly #underWay = new Map<string, Promise<GapOutcome>>();
  /** What nobody has helped with, and the servers that could not be asked. */
  readonly #resting = boundedCache<string, readonly ServerName[]>(maxResting);

  /** @param maxUnderWay more are not asked at the same time: they are pending */
  constructor(parts: QuestionsParts, maxUnderWay: number) {
    this.#parts = parts;
    this.#maxUnderWay = maxUnderWay;
  }

  /**
   * @param about what is asked for, of those that are asked for in the room
   * @param maxWaitMs what comes later is there when the client asks again
   * @param find asks servers; a fault of ours is told the log, and finds nothing
   */
  async ask(
    room: Room,
    about: string | number,
    maxWaitMs: number,
    find: () => Promise<GapOutcome>,
  ): Promise<GapOutcome> {
    const key = `${room.roomNid} ${about}`;
    const awaited = this.#resting.get(key);
    if (awaited && this.#parts.servers.allRest(awaited)) return "unavailable";
    const known = this.#underWay.get(key);
    if (!known && this.#underWay.size >= this.#maxUnderWay) return "pending";
    const answer = known ?? this.#begin(key, room, find);
    return withinTime(this.#parts.clock, maxWaitMs, answer, "pending");
  }

  #begin(key: string, room: Room, find: () => Promise<GapOutcome>): Promise<GapOutcome> {
    const answer = this.#answer(key, room, find).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, answer);
    return answer;
  }

  async #answer(key: string, room: Room, find: () => Promise<GapOutcome>): Promise<GapOutcome> {
    const { servers, log } = this.#parts;
    try {
      const outcome = await find();
      if (outcome === "unavailable") {
        this.#resting.set(key, await servers.restingIn(room), { ttl: restMs });
      }
      return outcome;
    } catch (error) {
      log.error({ err: error, roomId: room.roomId }, "missing events cannot be stored");
      return "unavailable";
    }
  }
}
