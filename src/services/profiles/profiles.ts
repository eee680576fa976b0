import type { ExistenceQuery } from "../../appservices/existence-queries.ts";
import { type ServerName, serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { AccountStore } from "../../storage/accounts.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { ProfileStore } from "../../storage/profiles.ts";
import { ReadCache } from "../../storage/read-cache.ts";
import { Profile } from "./profile.ts";
import type { RemoteProfiles } from "./remote-profiles.ts";

/** Clients look up whomever they show, and each join puts a profile into an event. */
const cachedProfiles = 20_000;

/** Looks profiles up (client-server API, "Profiles"). */
export class Profiles {
  readonly #store: ProfileStore;
  readonly #accounts: AccountStore;
  readonly #names: NameCache;
  readonly #serverName: ServerName;
  readonly #missing: ExistenceQuery<UserId>;
  readonly #remote: RemoteProfiles | undefined;
  readonly #cache: ReadCache<number, Profile | undefined>;

  /**
   * @param missing makes users that come to be when they are asked for
   * @param remote absent where this server talks with no others
   */
  constructor(
    store: ProfileStore,
    accounts: AccountStore,
    names: NameCache,
    serverName: ServerName,
    missing: ExistenceQuery<UserId>,
    remote: RemoteProfiles | undefined,
  ) {
    this.#store = store;
    this.#accounts = accounts;
    this.#names = names;
    this.#serverName = serverName;
    this.#missing = missing;
    this.#remote = remote;
    this.#cache = new ReadCache(cachedProfiles, (userNid) => this.#load(userNid));
  }

  /**
   * The profile of a user of any server.
   * @throws MatrixError M_NOT_FOUND when there is no such user, and what `RemoteProfiles` throws; UnansweredQueryError
   */
  async find(userId: UserId): Promise<Profile> {
    if (this.#remote && !this.isOwn(userId)) return this.#remote.find(userId);
    return this.findOwn(userId);
  }

  isOwn(userId: UserId): boolean {
    return serverNameOf(userId) === this.#serverName;
  }

  /** The profile of a user of this server. @throws MatrixError M_NOT_FOUND; UnansweredQueryError */
  async findOwn(userId: UserId): Promise<Profile> {
    const profile = this.isOwn(userId)
      ? ((await this.#known(userId)) ?? (await this.#askedFor(userId)))
      : undefined;
    if (profile) return profile;
    throw new MatrixError("M_NOT_FOUND", `${userId} is not known here`);
  }

  async #known(userId: UserId): Promise<Profile | undefined> {
    const userNid = await this.#names.findUser(userId);
    if (userNid === undefined) return undefined;
    const profile = await this.#cache.get(userNid);
    // Somebody may register the name at any time.
    if (!profile) this.#cache.forget(userNid);
    return profile;
  }

  async #askedFor(userId: UserId): Promise<Profile | undefined> {
    return (await this.#missing.ask(userId)) ? this.#known(userId) : undefined;
  }

  /** What a local user's member events say of them: `displayname` and `avatar_url`, as far as they are set. */
  async memberContent(userNid: number): Promise<JsonObject> {
    const profile = await this.#cache.get(userNid);
    return profile?.memberContent ?? {};
  }

  /** To be called after a change of the user's profile, account included. */
  forget(userNid: number): void {
    this.#cache.forget(userNid);
  }

  async #load(userNid: number): Promise<Profile | undefined> {
    const account = await this.#accounts.findByNid(userNid);
    return account && new Profile(await this.#store.fields(userNid));
  }
}
