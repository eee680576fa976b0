import { Rounds } from "../../concurrency/rounds.ts";
import type { DestinationStore } from "../../storage/destinations.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { RoomServers } from "../room-servers.ts";

export interface DeviceListRoutesParts {
  readonly store: Pick<DestinationStore, "serversOf" | "serversInRoomSince">;
  /** Told of each commit before this. */
  readonly servers: RoomServers;
  readonly names: Pick<NameCache, "localUserId">;
  /** The newest position that others know of: that of a commit comes after its followers have been told. */
  readonly position: () => number;
  /** Told which servers have to be told what has happened to users' devices after a position. */
  readonly found: (servers: readonly string[], after: number) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Something that servers have to be told of: which ones is not known yet. */
interface Unrouted {
  /** `undefined` for all who are in a room of which all servers have become known. */
  readonly userNid: number | undefined;
  /** Of a user who has come into a room: its servers may not know the user's devices. */
  readonly roomNid: number | undefined;
  /** Everything before has been routed. */
  readonly after: number;
}

/** Finds the servers that share rooms with local users whose devices have changed, or with users who have joined a room. */
export class DeviceListRoutes implements AsyncDisposable {
  readonly #parts: DeviceListRoutesParts;
  readonly #unrouted = new Map<string, Unrouted>();
  readonly #rounds: Rounds;

  constructor(parts: DeviceListRoutesParts) {
    this.#parts = parts;
    this.#rounds = new Rounds(() => this.#routeAll(), parts.clock);
  }

  /** To be told of each commit before its position becomes visible. */
  committed(changes: readonly StreamChange[]): void {
    // Before the whole commit: a membership is stored under the position of its event, which came before its own.
    const after = this.#parts.position();
    for (const { stream, nid, membership, partialSince } of changes) {
      // What was told of devices since the join has not come to all of the room's servers.
      if (partialSince !== undefined) this.#add(undefined, nid, partialSince);
      if (stream === "deviceLists" || stream === "deviceUpdates") this.#add(nid, undefined, after);
      else if (membership?.joined && !membership.isRemote) this.#add(nid, membership.roomNid, after);
    }
    if (this.#unrouted.size > 0) this.#rounds.begin();
  }

  /** All servers have been found for what has happened up to here. */
  routedUpTo(): number {
    // In the order in which they came, so that the first is the oldest.
    const [oldest] = this.#unrouted.values();
    return oldest?.after ?? this.#parts.position();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rounds[Symbol.asyncDispose]();
  }

  #add(userNid: number | undefined, roomNid: number | undefined, after: number): void {
    const key = `${userNid} ${roomNid}`;
    // What comes while servers are being looked for makes them be looked for again.
    const known = this.#unrouted.get(key);
    this.#unrouted.set(key, { userNid, roomNid, after: known?.after ?? after });
  }

  async #routeAll(): Promise<void> {
    while (!this.#rounds.isClosed) {
      const [next] = this.#unrouted;
      if (!next) return;
      const [key, unrouted] = next;
      const servers = await this.#serversFor(unrouted);
      // First: who is told reads from storage up to what has been routed.
      if (this.#unrouted.get(key) === unrouted) this.#unrouted.delete(key);
      this.#parts.found(servers, unrouted.after);
    }
  }

  async #serversFor({ userNid, roomNid, after }: Unrouted): Promise<readonly string[]> {
    const { store, servers, names, log } = this.#parts;
    try {
      if (userNid === undefined)
        return roomNid === undefined ? [] : await store.serversInRoomSince(roomNid, after);
      if ((await names.localUserId(userNid)) === undefined) return [];
      return await (roomNid === undefined ? store.serversOf(userNid) : servers.of(roomNid));
    } catch (error) {
      // They notice with the next update that they have missed one.
      log.error({ err: error, userNid }, "servers could not be told of a user's devices");
      return [];
    }
  }
}
