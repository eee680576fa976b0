import { LRUCache } from "lru-cache";
import { serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import type { JsonValue } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { parseMxcUri } from "../../protocol/mxc-uri.ts";
import { Profile } from "../../services/profiles/profile.ts";
import type { RemoteProfiles } from "../../services/profiles/remote-profiles.ts";
import type { ProfileField } from "../../storage/profiles.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { type FederationClient, FederationError } from "../federation-client.ts";
import type { HeardServers } from "../heard-servers.ts";
import { RestingServers } from "../resting-servers.ts";
import { objectOf } from "./answers.ts";

/** "Requesting servers MAY wish to cache the response to this query to avoid requesting the information too often." */
const freshMs = 2 * 60_000;
/** A server that cannot be reached is not tried again at once: anybody may ask for anybody's profile. */
const restMs = 30_000;
const maxCachedBytes = 16 * 1024 * 1024;
/** What an entry takes beside its fields. */
const entryBytes = 500;
const maxAsking = 200;
/** A slow server has no more than its share of them. */
const maxAskingPerServer = 40;
const timeoutMs = 10_000;
/** "The total profile MUST be under 64 KiB." */
const maxProfileBytes = 64 * 1024;
const maxNameBytes = 255;

interface KnownProfile {
  readonly profile: Profile;
  readonly freshUntilMs: number;
}

/** Asks other servers for the profiles of their users (server-server API, "Querying for information"). */
export class ProfileRequests implements RemoteProfiles {
  readonly #client: Pick<FederationClient, "request">;
  readonly #clock: Clock;
  readonly #known = new LRUCache<UserId, KnownProfile>({
    maxSize: maxCachedBytes,
    sizeCalculation: ({ profile }) => Buffer.byteLength(profile.json) + entryBytes,
  });
  readonly #asking = new Map<UserId, Promise<Profile>>();
  readonly #resting: RestingServers;

  constructor(client: Pick<FederationClient, "request">, clock: Clock, heard: HeardServers) {
    this.#client = client;
    this.#clock = clock;
    this.#resting = new RestingServers(restMs, clock, heard);
  }

  async find(userId: UserId): Promise<Profile> {
    const known = this.#known.get(userId);
    if (known && known.freshUntilMs > this.#clock.monotonicMs()) return known.profile;
    try {
      return await this.#ask(userId);
    } catch (error) {
      // What was true a while ago is more than nothing.
      if (known && error instanceof MatrixError && error.errcode === "M_CONNECTION_FAILED")
        return known.profile;
      throw error;
    }
  }

  #ask(userId: UserId): Promise<Profile> {
    const asked = this.#asking.get(userId);
    if (asked) return asked;
    if (!this.#hasRoomFor(userId)) throw unreachable(userId);
    const asking = this.#request(userId).finally(() => this.#asking.delete(userId));
    this.#asking.set(userId, asking);
    return asking;
  }

  #hasRoomFor(userId: UserId): boolean {
    const serverName = serverNameOf(userId);
    const ofServer = [...this.#asking.keys()].filter((asked) => serverNameOf(asked) === serverName);
    return this.#asking.size < maxAsking && ofServer.length < maxAskingPerServer;
  }

  async #request(userId: UserId): Promise<Profile> {
    const destination = serverNameOf(userId);
    try {
      const uri = `/_matrix/federation/v1/query/profile?user_id=${encodeURIComponent(userId)}`;
      const request = {
        destination,
        method: "GET",
        uri,
        timeoutMs,
        maxResponseBytes: maxProfileBytes,
      } as const;
      const answer = await this.#resting.ask(destination, () => this.#client.request(request));
      const profile = new Profile(fieldsOf(answer));
      this.#known.set(userId, { profile, freshUntilMs: this.#clock.monotonicMs() + freshMs });
      return profile;
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      if (error.failure === "refused") this.#known.delete(userId);
      throw clientError(error, userId);
    }
  }
}

/** What is no field, or has a value that clients would not expect, is left out. */
function fieldsOf(answer: JsonValue): ProfileField[] {
  return Object.entries(objectOf(answer))
    .filter(
      ([name, value]) => value !== null && Buffer.byteLength(name) <= maxNameBytes && isSafe(name, value),
    )
    .map(([name, value]) => ({ name, value: JSON.stringify(value) }));
}

function isSafe(name: string, value: JsonValue): boolean {
  if (name === "displayname") return typeof value === "string";
  // Clients would fetch a picture from an address of another kind, and so tell its owner who looks.
  return name !== "avatar_url" || (typeof value === "string" && parseMxcUri(value) !== undefined);
}

/** As Synapse does: that there is no such user, and that nobody may know, are answers; all else is a fault. */
function clientError({ failure, status }: FederationError, userId: UserId): MatrixError {
  if (failure === "unreachable") return unreachable(userId);
  if (status === 404) return new MatrixError("M_NOT_FOUND", `The server of ${userId} does not know the user`);
  if (status === 403) return new MatrixError("M_FORBIDDEN", `The server of ${userId} does not show profiles`);
  return new MatrixError("M_BAD_STATUS", `The server of ${userId} gives no usable answer`);
}

function unreachable(userId: UserId): MatrixError {
  return new MatrixError("M_CONNECTION_FAILED", `The server of ${userId} cannot be reached`);
}
