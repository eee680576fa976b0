import { boundedCache } from "../cache/bounded-cache.ts";
import type { UserId } from "../protocol/identifiers.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { Appservice } from "./registration.ts";

/** Users for whom it is remembered: every change of somebody asks. */
const rememberedUsers = 100_000;

/** Which users an application service covers, by integer ID. It stays what it is as long as the server runs. */
export class CoveredUsers {
  readonly #appservice: Appservice;
  readonly #names: Pick<NameCache, "userId">;
  readonly #known = boundedCache<number, { readonly isCovered: boolean }>(rememberedUsers);

  constructor(appservice: Appservice, names: Pick<NameCache, "userId">) {
    this.#appservice = appservice;
    this.#names = names;
  }

  /** `undefined` when nobody has asked for long. */
  known(userNid: number): boolean | undefined {
    return this.#known.get(userNid)?.isCovered;
  }

  of(userNid: number, userId: string): boolean {
    const known = this.#known.get(userNid);
    if (known) return known.isCovered;
    const isCovered = this.#appservice.coversUser(userId as UserId);
    this.#known.set(userNid, { isCovered });
    return isCovered;
  }

  async has(userNid: number): Promise<boolean> {
    return this.known(userNid) ?? this.of(userNid, await this.#names.userId(userNid));
  }
}
