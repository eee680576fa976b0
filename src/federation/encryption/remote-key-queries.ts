import { type ServerName, serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import type { ClaimedAlgorithms, ClaimedKey } from "../../services/keys/key-claim.ts";
import type { PublicKeyCache } from "../../services/keys/public-key-cache.ts";
import type { KeyFailures, RemoteKeys, WantedOf } from "../../services/keys/remote-keys.ts";
import { type RenderedKeys, renderKeys } from "../../services/keys/rendered-keys.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { RemoteDeviceListStore, RemoteListState } from "../../storage/remote-device-lists.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { FederationError } from "../federation-client.ts";
import type { HeardServers } from "../heard-servers.ts";
import type { KeyRequests, Patience } from "../requests/key-requests.ts";
import { Turns } from "../../concurrency/turns.ts";
import { RestingServers } from "../resting-servers.ts";
import type { ServerPolicy } from "../server-policy.ts";
import type { DeviceListResyncs } from "./device-list-resyncs.ts";
import type { RemoteDeviceLists } from "./remote-device-lists.ts";
import { memberOf, toldKeysOf, toldOneTimeKey } from "./told-keys.ts";

export interface RemoteKeyQueriesParts {
  readonly requests: KeyRequests;
  readonly lists: RemoteDeviceLists;
  readonly store: Pick<RemoteDeviceListStore, "states">;
  readonly publicKeys: PublicKeyCache;
  readonly names: Pick<NameCache, "findUser" | "userId">;
  readonly policy: ServerPolicy;
  readonly resyncs: Pick<DeviceListResyncs, "follow">;
  readonly clock: Clock;
  readonly heard: HeardServers;
}

type WantedDevices = readonly string[];

/** Clients ask again after some seconds: then somebody waits once more. */
const restMs = 15_000;
/** That there is no answer within less says nothing of a server: clients choose for how long they wait. */
const enoughMs = 5_000;
/** Of one server's users, so many are asked for one by one, so that their lists can be followed from then on. */
const maxFetchedLists = 50;
const fetchedAtOnce = 10;
/** So many are looked up at once: others have to be served in between. */
const statesAtOnce = 200;
/** The users of one server that are asked for together. */
const maxUsersInQuery = 1_000;

/** Answers from other servers' users' keys: those that are followed from storage, others from their servers. */
export class RemoteKeyQueries implements RemoteKeys {
  readonly #parts: RemoteKeyQueriesParts;
  readonly #resting: RestingServers;

  constructor(parts: RemoteKeyQueriesParts) {
    this.#parts = parts;
    this.#resting = new RestingServers(restMs, parts.clock, parts.heard);
  }

  async query(
    wanted: WantedOf<WantedDevices>,
    timeoutMs: number,
  ): Promise<{ readonly keys: ReadonlyMap<string, RenderedKeys>; readonly failures: KeyFailures }> {
    const keys = new Map<string, RenderedKeys>();
    const failures = await this.#eachServer(wanted, timeoutMs, async (server, users, patience) => {
      const isResting = () => this.#resting.has(server);
      const question = new ServerQuery(this.#parts, server, patience, isResting, keys);
      await question.answer(users);
    });
    return { keys, failures };
  }

  async claim(
    wanted: WantedOf<ClaimedAlgorithms[string]>,
    timeoutMs: number,
  ): Promise<{ readonly keys: readonly ClaimedKey[]; readonly failures: KeyFailures }> {
    const keys: ClaimedKey[] = [];
    const failures = await this.#eachServer(wanted, timeoutMs, async (server, users, patience) => {
      const body = Object.fromEntries(users) as JsonObject;
      const answer = await this.#parts.requests.claim(server, body, patience);
      keys.push(...claimedKeys(users, answer));
    });
    return { keys, failures };
  }

  /** Asks all servers at the same time: none waits for another. */
  async #eachServer<Wanted>(
    wanted: WantedOf<Wanted>,
    timeoutMs: number,
    ask: (server: ServerName, users: WantedOf<Wanted>, patience: Patience) => Promise<void>,
  ): Promise<KeyFailures> {
    const signal = AbortSignal.timeout(timeoutMs);
    const byServer = Map.groupBy(wanted, ([userId]) => serverNameOf(userId));
    const failures = await Promise.all(
      [...byServer].map(async ([server, users]): Promise<[ServerName, JsonObject] | undefined> => {
        try {
          if (!this.#parts.policy.allows(server)) throw notReached(server);
          await ask(server, users, { timeoutMs, signal });
          return undefined;
        } catch (error) {
          if (!(error instanceof FederationError)) throw error;
          if (error.failure === "unreachable" && timeoutMs >= enoughMs) this.#resting.add(server);
          return [server, failureOf(server, error)];
        }
      }),
    );
    return Object.fromEntries(failures.filter((failure) => failure !== undefined));
  }
}

/** A query for keys of users of one server. */
class ServerQuery {
  readonly #parts: RemoteKeyQueriesParts;
  readonly #server: ServerName;
  readonly #patience: Patience;
  readonly #isResting: () => boolean;
  readonly #keys: Map<string, RenderedKeys>;

  constructor(
    parts: RemoteKeyQueriesParts,
    server: ServerName,
    patience: Patience,
    isResting: () => boolean,
    keys: Map<string, RenderedKeys>,
  ) {
    this.#parts = parts;
    this.#server = server;
    this.#patience = patience;
    this.#isResting = isResting;
    this.#keys = keys;
  }

  /** Adds the keys of users. @throws FederationError when the server could not be asked for some of them */
  async answer(users: WantedOf<WantedDevices>): Promise<void> {
    const states = await this.#states(users.map(([userId]) => userId));
    const idsWhere = (test: (state: RemoteListState | undefined) => boolean | undefined) =>
      users.map(([userId]) => userId).filter((userId) => test(states.get(userId)));
    const current = idsWhere((state) => state?.isCurrent);
    await this.#read(current);
    if (current.length === users.length) return;
    const toFollow = idsWhere((state) => state?.sharesRoom && !state.isCurrent);
    const nidsOf = (userIds: readonly UserId[]) =>
      userIds.map((userId) => states.get(userId)?.userNid).filter((userNid) => userNid !== undefined);
    try {
      if (this.#isResting()) throw notReached(this.#server);
      const now = toFollow.slice(0, maxFetchedLists);
      const refused = await this.#fetch(now, states);
      const done = new Set([...current, ...now.filter((userId) => !refused.has(userId))]);
      await this.#ask(users.filter(([userId]) => !done.has(userId)));
      await this.#parts.resyncs.follow(this.#server, nidsOf(toFollow.slice(maxFetchedLists)));
    } catch (error) {
      // Whoever has asked in vain is told once the lists are there.
      await this.#parts.resyncs.follow(this.#server, nidsOf(toFollow));
      // Old keys serve better than none; once there are newer ones, clients are told.
      const outdated = idsWhere((state) => state?.isStored && !state.isCurrent);
      for (const [userId, keys] of await this.#parts.publicKeys.readOutdated(outdated)) {
        if (!this.#keys.has(userId)) this.#keys.set(userId, keys);
      }
      throw error;
    }
  }

  async #states(userIds: readonly UserId[]): Promise<Map<UserId, RemoteListState>> {
    const { names, store } = this.#parts;
    const idByNid = new Map<number, UserId>();
    for (const userId of userIds) {
      const userNid = await names.findUser(userId);
      if (userNid !== undefined) idByNid.set(userNid, userId);
    }
    const userNids = [...idByNid.keys()];
    const states = new Map<UserId, RemoteListState>();
    for (let first = 0; first < userNids.length; first += statesAtOnce) {
      for (const state of await store.states(userNids.slice(first, first + statesAtOnce))) {
        const userId = idByNid.get(state.userNid);
        if (userId) states.set(userId, state);
      }
    }
    return states;
  }

  async #read(userIds: readonly UserId[]): Promise<void> {
    if (userIds.length === 0) return;
    for (const [userId, keys] of await this.#parts.publicKeys.read(userIds)) this.#keys.set(userId, keys);
  }

  /** Gets lists that are followed from then on. Returns those of which the server would not tell. */
  async #fetch(
    userIds: readonly UserId[],
    states: ReadonlyMap<UserId, RemoteListState>,
  ): Promise<ReadonlySet<UserId>> {
    const turns = new Turns({ maxAtWork: fetchedAtOnce }, this.#parts.clock);
    const refused = new Set<UserId>();
    await Promise.all(
      userIds.map((userId) =>
        turns.run(async () => {
          const state = states.get(userId);
          if (state && !(await this.#fetchOne(state.userNid, userId))) refused.add(userId);
        }),
      ),
    );
    await this.#read(userIds.filter((userId) => !refused.has(userId)));
    return refused;
  }

  /** @returns false when the server answers with an error @throws FederationError when it does not answer */
  async #fetchOne(userNid: number, userId: UserId): Promise<boolean> {
    try {
      return (await this.#parts.lists.fetch(userNid, userId, this.#patience)) !== "unshared";
    } catch (error) {
      if (error instanceof FederationError && error.failure === "refused") return false;
      throw error;
    }
  }

  /** Asks for keys that nobody follows: they are not stored. */
  async #ask(users: WantedOf<WantedDevices>): Promise<void> {
    for (let first = 0; first < users.length; first += maxUsersInQuery) {
      const some = users.slice(first, first + maxUsersInQuery);
      const body = Object.fromEntries(some) as unknown as JsonObject;
      const answer = await this.#parts.requests.query(this.#server, body, this.#patience);
      for (const [userId] of some) {
        const userNid = (await this.#parts.names.findUser(userId)) ?? nobody;
        const told = toldKeysOf(userId, answer);
        if (told.devices.length === 0 && told.crossSigning.length === 0) continue;
        this.#keys.set(userId, renderKeys(userId, { userNid, ...told }));
      }
    }
  }
}

/** Whoever is not known here has been signed by nobody. */
const nobody = -1;

function claimedKeys(users: WantedOf<ClaimedAlgorithms[string]>, answer: JsonObject): ClaimedKey[] {
  return users.flatMap(([userId, devices]) => {
    const ofUser = memberOf(answer["one_time_keys"], userId);
    return Object.entries(devices).flatMap(([deviceId, algorithm]) => {
      const key = toldOneTimeKey(algorithm, memberOf(ofUser, deviceId));
      return key ? [{ userId, deviceId, ...key }] : [];
    });
  });
}

function notReached(server: ServerName): FederationError {
  return new FederationError("unreachable", `${server} could not be reached`);
}

function failureOf(server: ServerName, { failure, errcode }: FederationError): JsonObject {
  if (failure === "unreachable") return { errcode: "M_UNKNOWN", error: `${server} cannot be reached` };
  return { errcode: errcode?.slice(0, 100) ?? "M_UNKNOWN", error: `${server} has refused to answer` };
}
