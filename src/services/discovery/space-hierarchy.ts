import { LRUCache } from "lru-cache";
import type { RoomId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { RandomBytes } from "../../telemetry/random.ts";
import { namedRoomId } from "../named-ids.ts";
import type { DescribedRoom } from "./described-room.ts";
import { type SpaceChild, viaOf } from "./space-children.ts";
import type { FindOptions, FoundRoom, NamedRoom, SpaceRooms } from "./space-rooms.ts";

export interface HierarchyRequest {
  readonly roomId: string;
  readonly userNid: number;
  readonly suggestedOnly: boolean;
  readonly maxDepth?: number | undefined;
  readonly limit?: number | undefined;
  /** A token of an earlier page. */
  readonly from?: string | undefined;
  /** Servers that may be in the room, unchecked. */
  readonly via: readonly string[];
}

export interface HierarchyRoom {
  readonly room: DescribedRoom;
  readonly children: readonly SpaceChild[];
}

export interface HierarchyPage {
  readonly rooms: readonly HierarchyRoom[];
  readonly next: string | undefined;
}

const defaultLimit = 50;
const maxLimit = 100;
const deepest = 30;
/** A walk ends after so many rooms, however the spaces are nested. */
const maxWalkedRooms = 10_000;
/** Rooms that one walk may have before it. */
const maxSteps = 10_000;
/** Rooms looked at and children told for one page, which then has fewer rooms than were asked for. */
const maxWorkOfPage = 2_000;
/** Rooms that all walks which have not ended may have before them: bounds memory, oldest walks first. */
const maxKeptRooms = 200_000;
const tokenBytes = 18;
/** A room of another server may keep a page waiting for so long, and all of them together. */
const remoteTimeoutMs = { room: 8_000, page: 20_000 };
/** Other servers are asked at the same time about so many rooms that come next. */
const maxAhead = 8;
/** What another server has told of a room takes more memory than its ID. */
const costOfTold = 10;

interface Step extends NamedRoom {
  readonly depth: number;
}

/** A walk through a tree as far as it has come; pages are cut from copies, so that a page can be asked for again. */
interface Walk {
  /** Who walks, where and how: a token is good for the same request only. */
  readonly key: string;
  /** The next one at its end. */
  readonly steps: readonly Step[];
  readonly visited: ReadonlySet<string>;
  /** Servers that may be in the room in which it began. */
  readonly via: readonly string[];
}

/** Walks through spaces, depth first (client-server API, "Discovering rooms within spaces"). */
export class SpaceHierarchy {
  readonly #rooms: SpaceRooms;
  readonly #randomBytes: RandomBytes;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #walks = new LRUCache<string, Walk>({
    maxSize: maxKeptRooms,
    sizeCalculation: ({ steps, visited }) =>
      steps.reduce((cost, { told }) => cost + (told ? costOfTold : 1), visited.size + 1),
  });

  constructor(parts: {
    rooms: SpaceRooms;
    randomBytes: RandomBytes;
    clock: Clock;
    log: Logger;
  }) {
    this.#rooms = parts.rooms;
    this.#randomBytes = parts.randomBytes;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** @throws MatrixError M_FORBIDDEN for a room that the user may not see, M_INVALID_PARAM */
  async page(request: HierarchyRequest): Promise<HierarchyPage> {
    const { userNid, suggestedOnly, limit = defaultLimit, maxDepth = deepest } = request;
    const roomId = namedRoomId(request.roomId);
    if (limit < 1) throw new MatrixError("M_INVALID_PARAM", "limit has to be at least 1");
    if (maxDepth < 0) throw new MatrixError("M_INVALID_PARAM", "max_depth may not be negative");
    const key = JSON.stringify([roomId, userNid, suggestedOnly, request.maxDepth ?? null]);
    const walk =
      request.from === undefined ? begin(key, roomId, request.via) : this.#resume(request.from, key);
    const options = { userNid, suggestedOnly, needsChildren: true, timeoutMs: remoteTimeoutMs.room };
    const isFirst = walk.visited.size === 0;
    if (
      !isFirst &&
      !(await this.#rooms.find({ roomId, via: walk.via }, { ...options, needsChildren: false }))
    ) {
      throw forbidden();
    }
    const steps = [...walk.steps];
    const visited = new Set(walk.visited);
    const bounds = { limit: Math.min(limit, maxLimit), maxDepth: Math.min(maxDepth, deepest) };
    const rooms = await this.#walk(bounds, options, steps, visited);
    if (isFirst && rooms[0]?.room.roomId !== roomId) throw forbidden();
    const isOver = steps.length === 0 || visited.size >= maxWalkedRooms;
    return { rooms, next: isOver ? undefined : this.#keep({ ...walk, steps, visited }) };
  }

  /** Walks on for one page; what is left to walk and what has been seen is in `steps` and `visited`. */
  async #walk(
    { limit, maxDepth }: { readonly limit: number; readonly maxDepth: number },
    options: FindOptions,
    steps: Step[],
    visited: Set<string>,
  ): Promise<HierarchyRoom[]> {
    const untilMs = this.#clock.monotonicMs() + remoteTimeoutMs.page;
    const rooms: HierarchyRoom[] = [];
    const asked = new Set<string>();
    let left = maxWorkOfPage;
    while (rooms.length < limit && left > 0 && visited.size < maxWalkedRooms) {
      const timeoutMs = Math.max(0, Math.min(remoteTimeoutMs.room, untilMs - this.#clock.monotonicMs()));
      this.#askAhead(steps.slice(-maxAhead - 1, -1), { ...options, timeoutMs }, asked);
      const step = steps.pop();
      if (!step) break;
      left--;
      if (visited.has(step.roomId)) continue;
      visited.add(step.roomId);
      const found = await this.#rooms.find(step, { ...options, timeoutMs });
      if (!found) continue;
      const { room, children } = found;
      left -= children.length;
      rooms.push({ room, children });
      if (step.depth >= maxDepth) continue;
      addSteps(steps, visited, found, step.depth + 1);
    }
    return rooms;
  }

  /** Servers are slow: those of the rooms that come next are asked at the same time, each once for a page. */
  #askAhead(steps: readonly Step[], options: FindOptions, asked: Set<string>): void {
    for (const step of steps) {
      if (asked.has(step.roomId)) continue;
      asked.add(step.roomId);
      this.#rooms.prefetch(step, options).catch((error: unknown) => {
        this.#log.error({ err: error, roomId: step.roomId }, "a room could not be asked about ahead");
      });
    }
  }

  #resume(token: string, key: string): Walk {
    const walk = this.#walks.get(token);
    if (walk?.key === key) return walk;
    throw new MatrixError(
      "M_INVALID_PARAM",
      walk
        ? "from belongs to a request for another room or with another max_depth or suggested_only"
        : "from is no token that this server remembers: start again without it",
    );
  }

  #keep(walk: Walk): string {
    const token = this.#randomBytes(tokenBytes).toString("base64url");
    this.#walks.set(token, walk);
    return token;
  }
}

/** The first child is to be the next step. Children beyond the bound are not walked to. */
function addSteps(
  steps: Step[],
  visited: ReadonlySet<string>,
  { children, told }: FoundRoom,
  depth: number,
): void {
  const room = Math.max(0, maxSteps - steps.length);
  const unseen = children.filter(({ roomId }) => !visited.has(roomId)).slice(0, room);
  for (const child of unseen.toReversed()) {
    const { roomId } = child;
    steps.push({ roomId, via: viaOf(child), told: told.get(roomId), depth });
  }
}

function begin(key: string, roomId: RoomId, via: readonly string[]): Walk {
  return { key, steps: [{ roomId, via, depth: 0 }], visited: new Set(), via };
}

function forbidden(): MatrixError {
  return new MatrixError("M_FORBIDDEN", "You may not look into this room, or it does not exist");
}
