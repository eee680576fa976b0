import type { ExistenceQuery } from "../../appservices/existence-queries.ts";
import { type ServerName, serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { AccountStore } from "../../storage/accounts.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { ProfileField, ProfileStore } from "../../storage/profiles.ts";
import { ReadCache } from "../../storage/read-cache.ts";

/** Clients look up whomever they show, and each join puts a profile into an event. */
const cachedProfiles = 20_000;

/** What a user shows of themselves. */
export class Profile {
  readonly #fields: ReadonlyMap<string, string>;

  constructor(fields: readonly ProfileField[]) {
    this.#fields = new Map(fields.map(({ name, value }) => [name, value]));
  }

  /** One field, as a JSON object with this one key; `undefined` when it is not set. */
  field(name: string): string | undefined {
    const value = this.#fields.get(name);
    return value === undefined ? undefined : jsonObject([[name, value]]);
  }

  /** All fields, as a JSON object. */
  get json(): string {
    return jsonObject([...this.#fields]);
  }

  /** What member events say of the user: `displayname` and `avatar_url`, as far as they are set. */
  get memberContent(): JsonObject {
    const shown = [...this.#fields].filter(([name]) => name === "displayname" || name === "avatar_url");
    return JSON.parse(jsonObject(shown)) as JsonObject;
  }
}

function jsonObject(members: readonly (readonly [name: string, value: string])[]): string {
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`;
}

/** Looks profiles up (client-server API, "Profiles"). */
export class Profiles {
  readonly #store: ProfileStore;
  readonly #accounts: AccountStore;
  readonly #names: NameCache;
  readonly #serverName: ServerName;
  readonly #missing: ExistenceQuery<UserId>;
  readonly #cache: ReadCache<number, Profile | undefined>;

  /** @param missing makes users that come to be when they are asked for */
  constructor(
    store: ProfileStore,
    accounts: AccountStore,
    names: NameCache,
    serverName: ServerName,
    missing: ExistenceQuery<UserId>,
  ) {
    this.#store = store;
    this.#accounts = accounts;
    this.#names = names;
    this.#serverName = serverName;
    this.#missing = missing;
    this.#cache = new ReadCache(cachedProfiles, (userNid) => this.#load(userNid));
  }

  /** @throws MatrixError M_NOT_FOUND when there is no such user; UnansweredQueryError */
  async find(userId: UserId): Promise<Profile> {
    const isLocal = serverNameOf(userId) === this.#serverName;
    const profile = isLocal ? ((await this.#known(userId)) ?? (await this.#askedFor(userId))) : undefined;
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
