import { LRUCache } from "lru-cache";
import type { RoomId } from "../../protocol/identifiers.ts";
import { namedRoomId } from "../named-ids.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { RoomIndex } from "../../state/room-index.ts";
import type { RoomSummary, RoomSummaryStore } from "../../storage/room-summaries.ts";
import type { RandomBytes } from "../../telemetry/random.ts";
import type { RoomVisibility } from "./room-visibility.ts";
import type { SpaceChild, SpaceChildren } from "./space-children.ts";

export interface HierarchyRequest {
  readonly roomId: string;
  readonly userNid: number;
  readonly suggestedOnly: boolean;
  readonly maxDepth?: number | undefined;
  readonly limit?: number | undefined;
  /** A token of an earlier page. */
  readonly from?: string | undefined;
}

export interface HierarchyRoom {
  readonly summary: RoomSummary;
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

interface Step {
  readonly roomId: string;
  readonly depth: number;
}

/** A walk through a tree as far as it has come; pages are cut from copies, so that a page can be asked for again. */
interface Walk {
  /** Who walks, where and how: a token is good for the same request only. */
  readonly key: string;
  /** The next one at its end. */
  readonly steps: readonly Step[];
  readonly visited: ReadonlySet<string>;
}

/** Walks through spaces, depth first (client-server API, "Discovering rooms within spaces"). */
export class SpaceHierarchy {
  readonly #store: RoomSummaryStore;
  readonly #rooms: RoomIndex;
  readonly #children: SpaceChildren;
  readonly #visibility: RoomVisibility;
  readonly #randomBytes: RandomBytes;
  readonly #walks = new LRUCache<string, Walk>({
    maxSize: maxKeptRooms,
    sizeCalculation: ({ steps, visited }) => steps.length + visited.size + 1,
  });

  constructor(parts: {
    store: RoomSummaryStore;
    rooms: RoomIndex;
    children: SpaceChildren;
    visibility: RoomVisibility;
    randomBytes: RandomBytes;
  }) {
    this.#store = parts.store;
    this.#rooms = parts.rooms;
    this.#children = parts.children;
    this.#visibility = parts.visibility;
    this.#randomBytes = parts.randomBytes;
  }

  /** @throws MatrixError M_FORBIDDEN for a room that the user may not see, M_INVALID_PARAM */
  async page(request: HierarchyRequest): Promise<HierarchyPage> {
    const { userNid, suggestedOnly, limit = defaultLimit, maxDepth = deepest } = request;
    const roomId = namedRoomId(request.roomId);
    if (limit < 1) throw new MatrixError("M_INVALID_PARAM", "limit has to be at least 1");
    if (maxDepth < 0) throw new MatrixError("M_INVALID_PARAM", "max_depth may not be negative");
    const key = JSON.stringify([roomId, userNid, suggestedOnly, request.maxDepth ?? null]);
    const walk = request.from === undefined ? begin(key, roomId) : this.#resume(request.from, key);
    if (!(await this.#visible(roomId, userNid))) {
      throw new MatrixError("M_FORBIDDEN", "You may not look into this room, or it does not exist");
    }
    const steps = [...walk.steps];
    const visited = new Set(walk.visited);
    const rooms = await this.#walk(request, steps, visited);
    const isOver = steps.length === 0 || visited.size >= maxWalkedRooms;
    return { rooms, next: isOver ? undefined : this.#keep({ key, steps, visited }) };
  }

  /** Walks on for one page; what is left to walk and what has been seen is in `steps` and `visited`. */
  async #walk(request: HierarchyRequest, steps: Step[], visited: Set<string>): Promise<HierarchyRoom[]> {
    const { userNid, suggestedOnly, limit = defaultLimit, maxDepth = deepest } = request;
    const rooms: HierarchyRoom[] = [];
    let left = maxWorkOfPage;
    while (rooms.length < Math.min(limit, maxLimit) && left > 0 && visited.size < maxWalkedRooms) {
      const step = steps.pop();
      if (!step) break;
      left--;
      if (visited.has(step.roomId)) continue;
      visited.add(step.roomId);
      const summary = await this.#visible(step.roomId, userNid);
      if (!summary) continue;
      const children = await this.#children.of(summary, suggestedOnly);
      left -= children.length;
      rooms.push({ summary, children });
      if (step.depth < Math.min(maxDepth, deepest)) addSteps(steps, visited, children, step.depth + 1);
    }
    return rooms;
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

  /** What a room tells of itself, if the user may see it. */
  async #visible(roomId: string, userNid: number): Promise<RoomSummary | undefined> {
    const room = await this.#rooms.find(roomId);
    const summary = room && (await this.#store.of(room.roomNid));
    if (!summary) return undefined;
    const { membership, maySee } = await this.#visibility.standing(summary, userNid);
    return maySee && membership !== "ban" ? summary : undefined;
  }
}

/** The first child is to be the next step. Children beyond the bound are not walked to. */
function addSteps(
  steps: Step[],
  visited: ReadonlySet<string>,
  children: readonly SpaceChild[],
  depth: number,
): void {
  const room = Math.max(0, maxSteps - steps.length);
  const unseen = children.filter(({ roomId }) => !visited.has(roomId)).slice(0, room);
  for (const { roomId } of unseen.toReversed()) steps.push({ roomId, depth });
}

function begin(key: string, roomId: RoomId): Walk {
  return { key, steps: [{ roomId, depth: 0 }], visited: new Set() };
}
