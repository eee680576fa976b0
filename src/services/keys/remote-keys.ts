import type { JsonObject } from "../../protocol/json.ts";
import { parseUserId, type ServerName, serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { ClaimedAlgorithms, ClaimedKey } from "./key-claim.ts";
import type { RenderedKeys } from "./rendered-keys.ts";

/** By server name, why its users' keys are missing from an answer, or may be out of date. */
export type KeyFailures = JsonObject;

/** Some users and what is wanted of each. */
export type WantedOf<Wanted> = readonly (readonly [UserId, Wanted])[];

/** The keys of users of other servers. */
export interface RemoteKeys {
  /**
   * The public keys of users; who is not known to their server is missing.
   * @param wanted by user the devices, or none for all of them
   */
  query(
    wanted: WantedOf<readonly string[]>,
    timeoutMs: number,
  ): Promise<{ readonly keys: ReadonlyMap<string, RenderedKeys>; readonly failures: KeyFailures }>;
  /** Takes a key of each device that has one; those of one user follow each other. */
  claim(
    wanted: WantedOf<ClaimedAlgorithms[string]>,
    timeoutMs: number,
  ): Promise<{ readonly keys: readonly ClaimedKey[]; readonly failures: KeyFailures }>;
}

/** Of a client's request, as long as it says nothing else: "10 seconds is the recommended default". */
const defaultTimeoutMs = 10_000;
const maxTimeoutMs = 30_000;

/** How long other servers are waited for, by what a client says. */
export function keyTimeoutMs(wantedMs: number | undefined): number {
  return Math.min(wantedMs ?? defaultTimeoutMs, maxTimeoutMs);
}

/**
 * Tells local users from those of other servers.
 * @throws MatrixError M_INVALID_PARAM for what is no user ID.
 */
export function usersByReach<Wanted>(
  wanted: Iterable<readonly [string, Wanted]>,
  serverName: ServerName,
): { readonly local: WantedOf<Wanted>; readonly remote: WantedOf<Wanted> } {
  const local: [UserId, Wanted][] = [];
  const remote: [UserId, Wanted][] = [];
  for (const [text, value] of wanted) {
    const userId = parseUserId(text);
    if (!userId) throw new MatrixError("M_INVALID_PARAM", "Users are named like @name:server");
    if (serverNameOf(userId) === serverName) local.push([userId, value]);
    else remote.push([userId, value]);
  }
  return { local, remote };
}

/** The failures where this server talks to no others. */
export function unreachable(users: WantedOf<unknown>): KeyFailures {
  const servers = new Set(users.map(([userId]) => serverNameOf(userId)));
  return Object.fromEntries(
    [...servers].map((server) => [server, { errcode: "M_UNKNOWN", error: `${server} cannot be reached` }]),
  );
}
