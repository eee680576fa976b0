import { Rounds } from "../../concurrency/rounds.ts";
import type { Typing } from "../../services/typing.ts";
import type { RoomIndex } from "../../state/room-index.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { RoomServers } from "../room-servers.ts";
import type { FederationSender } from "../sending/federation-sender.ts";

export interface OutboundTypingParts {
  readonly typing: Pick<Typing, "in">;
  readonly rooms: Pick<RoomIndex, "byNid">;
  readonly servers: Pick<RoomServers, "of">;
  readonly sender: Pick<FederationSender, "sendEdu">;
  readonly names: Pick<NameCache, "localUserId">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Other servers forget who types after a minute or so, unless they are told again. */
const tellAgainMs = 40_000;
const sweepIntervalMs = 10_000;

/** A user of this server of whom others have been told that they type. */
interface ToldTyper {
  readonly userId: string;
  readonly toldMs: number;
}

/** Tells other servers who types in rooms that they are in (server-server API, "Typing Notifications"). */
export class OutboundTyping implements AsyncDisposable {
  readonly #parts: OutboundTypingParts;
  /** Rooms in which others take users of this server to be typing. */
  readonly #told = new Map<number, Map<number, ToldTyper>>();
  /** Rooms in which something has changed since others were told. */
  readonly #changed = new Set<number>();
  readonly #rounds: Rounds;
  #sweep: Timer | undefined;

  constructor(parts: OutboundTypingParts) {
    this.#parts = parts;
    this.#rounds = new Rounds(() => this.#tellAll(), parts.clock);
  }

  /** To be told of each commit, after `Typing`. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, nid } of changes) if (stream === "typing") this.#changed.add(nid);
    if (this.#changed.size > 0) this.#rounds.begin();
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sweep?.cancel();
    await this.#rounds[Symbol.asyncDispose]();
  }

  async #tellAll(): Promise<void> {
    for (const roomNid of this.#changed) {
      if (this.#rounds.isClosed) break;
      this.#changed.delete(roomNid);
      try {
        await this.#tell(roomNid);
      } catch (error) {
        this.#parts.log.warn({ err: error, roomNid }, "other servers were not told who types");
      }
    }
    this.#sweepLater();
  }

  async #tell(roomNid: number): Promise<void> {
    const { typing, servers, clock } = this.#parts;
    const names = await servers.of(roomNid);
    const told = this.#told.get(roomNid) ?? new Map<number, ToldTyper>();
    const typers = new Set(names.length === 0 ? [] : typing.in(roomNid)?.userNids);
    for (const [userNid, { userId }] of told) {
      if (typers.has(userNid)) continue;
      told.delete(userNid);
      await this.#send(roomNid, userId, false);
    }
    for (const userNid of typers) {
      const userId = told.has(userNid) ? undefined : await this.#parts.names.localUserId(userNid);
      if (userId === undefined) continue;
      told.set(userNid, { userId, toldMs: clock.monotonicMs() });
      await this.#send(roomNid, userId, true);
    }
    if (told.size > 0) this.#told.set(roomNid, told);
    else this.#told.delete(roomNid);
  }

  async #send(roomNid: number, userId: string, isTyping: boolean): Promise<void> {
    const { sender, rooms, servers } = this.#parts;
    const { roomId } = await rooms.byNid(roomNid);
    const content = { room_id: roomId, user_id: userId, typing: isTyping };
    const names = await servers.of(roomNid);
    sender.sendEdu(names, `m.typing ${roomId} ${userId}`, { type: "m.typing", content });
  }

  #sweepLater(): void {
    if (this.#sweep || this.#rounds.isClosed || this.#told.size === 0) return;
    this.#sweep = this.#parts.clock.setTimer(sweepIntervalMs, () => {
      this.#sweep = undefined;
      this.#tellAgain().catch((error: unknown) => {
        this.#parts.log.warn({ err: error }, "other servers were not told who goes on typing");
      });
    });
  }

  async #tellAgain(): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const [roomNid, told] of this.#told) {
      for (const [userNid, { userId, toldMs }] of told) {
        if (nowMs - toldMs < tellAgainMs) continue;
        told.set(userNid, { userId, toldMs: nowMs });
        await this.#send(roomNid, userId, true);
      }
    }
    this.#sweepLater();
  }
}
