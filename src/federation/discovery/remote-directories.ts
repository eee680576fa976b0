import { LRUCache } from "lru-cache";
import type { ServerName } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import type { DirectoryPage, DirectoryRequest } from "../../services/discovery/directory-request.ts";
import type { RemoteDirectories } from "../../services/discovery/room-directory.ts";
import { type FederationClient, FederationError } from "../federation-client.ts";
import { matrixError } from "../joining/first-that-works.ts";
import { describedRoomOf } from "./room-descriptions.ts";

const path = "/_matrix/federation/v1/publicRooms";
const timeoutMs = 15_000;
const maxResponseBytes = 4 * 1024 * 1024;
const maxTokenLength = 4_096;
/** People type, and turn pages back: the same page is asked for again soon. */
const knownMs = 30_000;
const cacheBytes = 16 * 1024 * 1024;

/** Asks other servers for their directories (server-server API, "Published Room Directory"). */
export class FederatedDirectories implements RemoteDirectories {
  readonly #client: Pick<FederationClient, "request">;
  readonly #pages = new LRUCache<string, DirectoryPage>({ maxSize: cacheBytes, ttl: knownMs });
  readonly #asking = new Map<string, Promise<DirectoryPage>>();

  constructor(client: Pick<FederationClient, "request">) {
    this.#client = client;
  }

  async list(server: ServerName, request: DirectoryRequest): Promise<DirectoryPage> {
    const { limit, since, searchTerm, roomTypes, instanceId, includeAllNetworks } = request;
    const key = JSON.stringify([server, limit, since, searchTerm, roomTypes, instanceId, includeAllNetworks]);
    const known = this.#pages.get(key);
    if (known) return known;
    const underWay = this.#asking.get(key);
    if (underWay) return underWay;
    const asking = this.#ask(server, request, key).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  async #ask(destination: ServerName, request: DirectoryRequest, key: string): Promise<DirectoryPage> {
    try {
      const answer = await this.#client.request({
        destination,
        ...form(request),
        timeoutMs,
        maxResponseBytes,
      });
      const page = pageOf(answer, request.limit ?? Infinity);
      this.#pages.set(key, page, { size: JSON.stringify(page).length });
      return page;
    } catch (error) {
      throw error instanceof FederationError ? matrixError(error) : error;
    }
  }
}

/** The oldest servers know filters by POST only, and everything else by GET. */
function form({ limit, since, searchTerm, roomTypes, instanceId, includeAllNetworks }: DirectoryRequest) {
  const isFiltered = searchTerm !== undefined || roomTypes !== undefined;
  const page: [string, JsonValue | undefined][] = [
    ["limit", limit],
    ["since", since],
    ["include_all_networks", includeAllNetworks],
    ["third_party_instance_id", instanceId],
  ];
  const given = page.filter((entry): entry is [string, string | number | boolean] => entry[1] !== undefined);
  if (!isFiltered) {
    const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
    return { method: "GET", uri: `${path}?${query.toString()}` } as const;
  }
  const filter: JsonObject = {
    ...(searchTerm !== undefined && { generic_search_term: searchTerm }),
    ...(roomTypes !== undefined && { room_types: [...roomTypes] }),
  };
  return { method: "POST", uri: path, body: { ...Object.fromEntries(given), filter } } as const;
}

/** @throws FederationError for an answer that is no page */
function pageOf(answer: JsonValue, limit: number): DirectoryPage {
  const {
    chunk,
    next_batch: next,
    prev_batch: previous,
    total_room_count_estimate: total,
  } = isJsonObject(answer) ? answer : ({} as JsonObject);
  if (!Array.isArray(chunk)) throw new FederationError("unreachable", "The server's directory is none");
  return {
    rooms: chunk.slice(0, limit).flatMap((room) => describedRoomOf(room) ?? []),
    next: tokenOf(next),
    previous: tokenOf(previous),
    total: typeof total === "number" && Number.isSafeInteger(total) ? Math.max(0, total) : undefined,
  };
}

function tokenOf(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" && value.length <= maxTokenLength ? value : undefined;
}
