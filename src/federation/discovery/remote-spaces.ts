import { LRUCache } from "lru-cache";
import type { ServerName } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonValue } from "../../protocol/json.ts";
import { isServerName } from "../../protocol/server-name.ts";
import type { RemoteSpaces, ToldSpace } from "../../services/discovery/described-room.ts";
import { maxChildren, orderedChildren } from "../../services/discovery/space-children.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { type FederationClient, FederationError } from "../federation-client.ts";
import type { HeardServers } from "../heard-servers.ts";
import { RestingServers } from "../resting-servers.ts";
import { describedRoomOf, roomIdsOf, spaceChildOf } from "./room-descriptions.ts";

export interface FederatedSpacesParts {
  readonly client: Pick<FederationClient, "request">;
  /** Those of some servers that are others than this one, and that it talks with; each once. */
  readonly others: (servers: readonly ServerName[]) => readonly ServerName[];
  readonly clock: Clock;
  readonly heard: HeardServers;
}

/** A room has many servers, and somebody waits. */
const maxServers = 3;
const maxResponseBytes = 4 * 1024 * 1024;
/** "Responses to this endpoint should be cached for a period of time." */
const knownMs = 5 * 60_000;
const cacheBytes = 32 * 1024 * 1024;
/** A server that does not answer is left alone for a while, whichever room it is about. */
const restMs = 60_000;
/** Nobody is asked who would have less: a server that does not answer within that need not be gone. */
const enoughMs = 1_000;

/** Asks other servers about spaces and their rooms (server-server API, "Spaces"). */
export class FederatedSpaces implements RemoteSpaces {
  readonly #parts: FederatedSpacesParts;
  /** By room and by who was asked: what a server tells of a room that is not its own reaches nobody who asks others. */
  readonly #spaces = new LRUCache<string, ToldSpace>({ maxSize: cacheBytes, ttl: knownMs });
  readonly #asking = new Map<string, Promise<ToldSpace | undefined>>();
  readonly #resting: RestingServers;

  constructor(parts: FederatedSpacesParts) {
    this.#parts = parts;
    this.#resting = new RestingServers(restMs, parts.clock, parts.heard);
  }

  async find(
    roomId: string,
    via: readonly string[],
    suggestedOnly: boolean,
    timeoutMs: number,
  ): Promise<ToldSpace | undefined> {
    const servers = this.#parts.others(via.filter(isServerName)).slice(0, maxServers);
    const key = JSON.stringify([roomId, suggestedOnly, ...servers]);
    const known = this.#spaces.get(key) ?? this.#asking.get(key);
    if (known || servers.length === 0 || timeoutMs <= 0) return known;
    const asking = this.#ask(roomId, servers, suggestedOnly, timeoutMs, key).finally(() =>
      this.#asking.delete(key),
    );
    this.#asking.set(key, asking);
    return asking;
  }

  async #ask(
    roomId: string,
    servers: readonly ServerName[],
    suggestedOnly: boolean,
    timeoutMs: number,
    key: string,
  ): Promise<ToldSpace | undefined> {
    const { client, clock } = this.#parts;
    const untilMs = clock.monotonicMs() + timeoutMs;
    for (const destination of servers) {
      const leftMs = untilMs - clock.monotonicMs();
      if (leftMs < enoughMs) return undefined;
      const uri = `/_matrix/federation/v1/hierarchy/${encodeURIComponent(roomId)}?suggested_only=${suggestedOnly}`;
      const request = { destination, method: "GET", uri, timeoutMs: leftMs, maxResponseBytes } as const;
      try {
        return await this.#resting.ask(destination, async () => {
          const answer = await client.request(request);
          const space = spaceOf(answer, roomId, suggestedOnly);
          this.#spaces.set(key, space, { size: JSON.stringify(answer).length });
          return space;
        });
      } catch (error) {
        if (!(error instanceof FederationError)) throw error;
      }
    }
    return undefined;
  }
}

/** @throws FederationError for an answer that is about another room, or none */
function spaceOf(answer: JsonValue, roomId: string, suggestedOnly: boolean): ToldSpace {
  const { room: told, children, inaccessible_children: closed } = isJsonObject(answer) ? answer : {};
  const room = describedRoomOf(told);
  if (room?.roomId !== roomId) throw new FederationError("unreachable", "The server tells of another room");
  const state = isJsonObject(told) && room.roomType === "m.space" ? told["children_state"] : undefined;
  const childState = (Array.isArray(state) ? state : []).slice(0, maxChildren);
  const ownChildren = orderedChildren(
    childState.flatMap((child) => spaceChildOf(child) ?? []),
    suggestedOnly,
  );
  const ids = new Set(ownChildren.map((child) => child.roomId));
  const described = (Array.isArray(children) ? children : [])
    .slice(0, maxChildren)
    .flatMap((child) => describedRoomOf(child) ?? [])
    .filter((child) => ids.has(child.roomId));
  return {
    room,
    children: ownChildren,
    described: new Map(described.map((child) => [child.roomId, child])),
    inaccessible: new Set(roomIdsOf(closed).filter((id) => ids.has(id))),
  };
}
