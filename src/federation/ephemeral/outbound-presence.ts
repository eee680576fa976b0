import { Rounds } from "../../concurrency/rounds.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { presenceContent } from "../../services/presence/presence-content.ts";
import type { Presence } from "../../services/presence/presence.ts";
import type { DestinationStore } from "../../storage/destinations.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { FederationSender } from "../sending/federation-sender.ts";
import type { Arrivals } from "./arrivals.ts";

export interface OutboundPresenceParts {
  readonly presence: Pick<Presence, "of" | "ownUsersPresent" | "isPresent">;
  readonly store: Pick<DestinationStore, "serversOfEach">;
  readonly arrivals: Arrivals;
  readonly sender: Pick<FederationSender, "sendEdu">;
  readonly names: Pick<NameCache, "userId" | "localUserId">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Other servers take a user to be gone of whom they have not heard for half an hour. */
const tellAgainMs = 25 * 60_000;
const sweepIntervalMs = 60_000;
const toldAgainAtOnce = 1_000;
/** Users whose servers are looked up at once. */
const usersAtOnce = 100;
/** As Synapse does. */
const maxUsersPerEdu = 50;

/** Tells other servers of users of this one with whom they share rooms (server-server API, "Presence"). */
export class OutboundPresence implements AsyncDisposable {
  readonly #parts: OutboundPresenceParts;
  /** When others were last told of those who are there, by the monotonic clock, the longest ago first. */
  readonly #toldMs = new Map<number, number>();
  readonly #changed = new Set<number>();
  readonly #rounds: Rounds;
  #sweep: Timer | undefined;

  constructor(parts: OutboundPresenceParts) {
    this.#parts = parts;
    this.#rounds = new Rounds(() => this.#tellAll(), parts.clock);
  }

  /** Other servers know of users who were there when this one stopped, and are to hear of them again before long. */
  resume(): void {
    const toldMs = this.#parts.clock.monotonicMs() - tellAgainMs;
    for (const userNid of this.#parts.presence.ownUsersPresent()) this.#toldMs.set(userNid, toldMs);
    this.#sweepLater();
  }

  /** To be told of each commit, after `RoomServers`. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, nid } of changes) if (stream === "presence") this.#changed.add(nid);
    this.#parts.arrivals.committed(changes);
    this.#tell();
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sweep?.cancel();
    await this.#rounds[Symbol.asyncDispose]();
  }

  get #hasNews(): boolean {
    return this.#changed.size > 0 || this.#parts.arrivals.isThereAny;
  }

  #tell(): void {
    if (this.#hasNews) this.#rounds.begin();
  }

  async #tellAll(): Promise<void> {
    while (this.#hasNews && !this.#rounds.isClosed) {
      try {
        if (this.#changed.size > 0) await this.#tellNext();
        else await this.#tellArrivals();
      } catch (error) {
        this.#parts.log.warn({ err: error }, "other servers were not told who is there");
      }
    }
    this.#sweepLater();
  }

  async #tellArrivals(): Promise<void> {
    for (const { servers, userNids } of await this.#parts.arrivals.take())
      await this.#send(servers, userNids);
  }

  async #tellNext(): Promise<void> {
    const next = [...this.#changed.values().take(usersAtOnce)];
    for (const userNid of next) this.#changed.delete(userNid);
    const own: number[] = [];
    for (const userNid of next) {
      if ((await this.#parts.names.localUserId(userNid)) !== undefined) own.push(userNid);
    }
    if (own.length === 0) return;
    const servers = await this.#parts.store.serversOfEach(own);
    const nowMs = this.#parts.clock.monotonicMs();
    for (const userNid of own) {
      this.#toldMs.delete(userNid);
      if (this.#parts.presence.isPresent(userNid)) this.#toldMs.set(userNid, nowMs);
    }
    // Colleagues share rooms with the same servers: what many servers are sent is made once.
    const groups = Map.groupBy(own.keys(), (index) => (servers[index] ?? []).toSorted().join(" "));
    for (const indices of groups.values()) {
      const names = servers[indices[0] ?? 0] ?? [];
      if (names.length > 0)
        await this.#send(
          names,
          indices.flatMap((index) => own[index] ?? []),
        );
    }
  }

  async #send(servers: readonly string[], userNids: readonly number[]): Promise<void> {
    for (let start = 0; start < userNids.length; start += maxUsersPerEdu) {
      const told = userNids.slice(start, start + maxUsersPerEdu);
      const push: JsonObject[] = [];
      for (const userNid of told) push.push(...(await this.#update(userNid)));
      // A later one of the same users takes the place of one that waits.
      this.#parts.sender.sendEdu(servers, `m.presence ${told.join(" ")}`, {
        type: "m.presence",
        content: { push },
      });
    }
  }

  async #update(userNid: number): Promise<readonly JsonObject[]> {
    const { presence, names, clock } = this.#parts;
    const seen = await presence.of(userNid);
    if (!seen) return [];
    return [{ user_id: await names.userId(userNid), ...presenceContent(seen, clock.nowMs()) }];
  }

  #sweepLater(): void {
    if (this.#sweep || this.#rounds.isClosed || this.#toldMs.size === 0) return;
    this.#sweep = this.#parts.clock.setTimer(sweepIntervalMs, () => {
      this.#sweep = undefined;
      this.#tellAgain();
      this.#sweepLater();
    });
  }

  #tellAgain(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const [userNid, toldMs] of this.#toldMs) {
      if (nowMs - toldMs < tellAgainMs || this.#changed.size >= toldAgainAtOnce) break;
      this.#toldMs.delete(userNid);
      if (this.#parts.presence.isPresent(userNid)) this.#changed.add(userNid);
    }
    this.#tell();
  }
}
