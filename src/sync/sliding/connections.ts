import { LRUCache } from "lru-cache";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { ConnectionKey, SlidingSyncStore } from "../../storage/sliding-sync.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { RandomBytes } from "../../telemetry/random.ts";
import {
  type ConnectionState,
  decodeState,
  emptyState,
  encodeState,
  isSameState,
} from "./connection-state.ts";

/** Bounds memory: a room costs about 100 bytes. What is not in memory is read from storage. */
const cachedRooms = 1_000_000;
/** A client has one or two; further ones are of those that it has given up. */
const maxConnections = 8;
const lifetimeMs = 30 * 24 * 60 * 60 * 1000;
const versionBytes = 9;

const posPattern = /^([\w-]{12})\.(\d{1,15})$/;

/**
 * The position of the one stream that a client's `pos` names, whatever connection it is of.
 * @param name of the parameter, for the error
 * @throws MatrixError M_INVALID_PARAM
 */
export function positionOfPos(pos: string, name: string): number {
  const [, , digits] = posPattern.exec(pos) ?? [];
  if (digits !== undefined) return Number(digits);
  throw new MatrixError("M_INVALID_PARAM", `${name} is not a position of sliding sync`);
}

/** Where a connection is: what a client's `pos` stands for. */
export interface ConnectionPoint {
  /** Names the state; `undefined` for a connection that begins. */
  readonly version: string | undefined;
  readonly state: ConnectionState;
  /** All that was committed up to here has been looked at; `undefined` for a connection that begins. */
  readonly position: number | undefined;
}

const beginning: ConnectionPoint = { version: undefined, state: emptyState, position: undefined };

/**
 * The connections of simplified sliding sync (MSC4186, "Connections"). A position names the version of its connection's
 * state and a position of the one stream: as long as the rooms of a connection stay the same, answers change the second
 * alone and nothing is written.
 */
export class SlidingConnections {
  readonly #store: Pick<SlidingSyncStore, "connection" | "putConnection">;
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;
  readonly #states = new LRUCache<string, ConnectionState>({
    maxSize: cachedRooms,
    sizeCalculation: ({ rooms }) => rooms.size + 1,
  });

  constructor(
    store: Pick<SlidingSyncStore, "connection" | "putConnection">,
    clock: Clock,
    randomBytes: RandomBytes,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#randomBytes = randomBytes;
  }

  /**
   * What a client's `pos` stands for.
   * @param newest the newest position that there is
   * @throws MatrixError M_UNKNOWN_POS
   */
  async at(key: ConnectionKey, pos: string | undefined, newest: number): Promise<ConnectionPoint> {
    if (pos === undefined) return beginning;
    const [, version, digits] = posPattern.exec(pos) ?? [];
    const position = Number(digits);
    const state = version !== undefined && position <= newest ? await this.#state(key, version) : undefined;
    if (state) return { version, state, position };
    throw new MatrixError(
      "M_UNKNOWN_POS",
      "This position is not known (any more): begin again without `pos`",
    );
  }

  /**
   * Begins a connection, while its first answer is made.
   * @param state what the client will have, or less: it is sent once more what is not in there
   * @returns the version that names the state
   */
  begin(key: ConnectionKey, state: ConnectionState): Promise<string> {
    return this.#put(key, undefined, state);
  }

  /** The `pos` of a first answer. What is stored of a connection that has begun stays, even if the client has more. */
  began(key: ConnectionKey, version: string, state: ConnectionState, position: number): string {
    this.#states.set(nameOf(key, version), state);
    return `${version}.${position}`;
  }

  /**
   * The `pos` of an answer that leaves the client with a state at a position. The state that the client came with stays:
   * the answer may not reach it.
   */
  async advance(
    key: ConnectionKey,
    from: ConnectionPoint,
    state: ConnectionState,
    position: number,
  ): Promise<string> {
    if (from.version !== undefined && isSameState(from.state, state)) return `${from.version}.${position}`;
    const version = await this.#put(key, from.version, state);
    this.#states.set(nameOf(key, version), state);
    return `${version}.${position}`;
  }

  async #put(key: ConnectionKey, baseVersion: string | undefined, state: ConnectionState): Promise<string> {
    const version = this.#randomBytes(versionBytes).toString("base64url");
    const storedTs = this.#clock.nowMs();
    await this.#store.putConnection(key, {
      version,
      baseVersion: baseVersion ?? null,
      state: encodeState(state),
      storedTs,
      forgetBeforeTs: storedTs - lifetimeMs,
      maxConnections,
    });
    return version;
  }

  async #state(key: ConnectionKey, version: string): Promise<ConnectionState | undefined> {
    const name = nameOf(key, version);
    const known = this.#states.get(name);
    if (known) return known;
    const text = await this.#store.connection(key, version);
    if (text === undefined) return undefined;
    const state = decodeState(text);
    this.#states.set(name, state);
    return state;
  }
}

/** Versions are unique; the rest is so that nobody uses those of others. */
function nameOf({ userNid, deviceId, connectionId }: ConnectionKey, version: string): string {
  return `${version} ${userNid} ${deviceId.length} ${deviceId}${connectionId}`;
}
