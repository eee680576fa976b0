import { hashToken } from "../auth/tokens.ts";
import type { UserId } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { Appservice } from "./registration.ts";

/** The application services that the configuration names. They stay the same as long as the server runs. */
export class AppserviceRegistry {
  readonly all: readonly Appservice[];
  readonly #byId: ReadonlyMap<string, Appservice>;
  /** By the hash of the token: looking one up takes the same time whatever a guess has in common with it. */
  readonly #byTokenHash: ReadonlyMap<string, Appservice>;

  constructor(all: readonly Appservice[]) {
    this.all = all;
    this.#byId = new Map(all.map((appservice) => [appservice.id, appservice]));
    this.#byTokenHash = new Map(
      all.map((appservice) => [keyOf(appservice.registration.asToken), appservice]),
    );
  }

  get isEmpty(): boolean {
    return this.all.length === 0;
  }

  byId(id: string): Appservice | undefined {
    return this.#byId.get(id);
  }

  /** @param tokenHash of an access token, as `hashToken` makes it */
  byTokenHash(tokenHash: Buffer): Appservice | undefined {
    return this.#byTokenHash.get(tokenHash.toString("latin1"));
  }

  /**
   * Refuses a new user that is not for the one who wants it.
   * @param appserviceId of who asks; `undefined` for everybody else
   * @throws MatrixError M_EXCLUSIVE
   */
  checkNewUser(userId: UserId, appserviceId: string | undefined): void {
    const own = appserviceId === undefined ? undefined : this.#byId.get(appserviceId);
    if (own && !own.coversUser(userId)) {
      throw new MatrixError("M_EXCLUSIVE", `${userId} is not in this application service's namespaces`);
    }
    if (this.all.some((other) => other !== own && other.isExclusiveUser(userId))) {
      throw new MatrixError("M_EXCLUSIVE", `${userId} is reserved by an application service`);
    }
  }

  /**
   * Refuses to make or remove an alias that is not for the one who wants it.
   * @throws MatrixError M_EXCLUSIVE
   */
  checkAlias(
    alias: string,
    who: { readonly userId: UserId; readonly appserviceId?: string | undefined },
  ): void {
    const own = who.appserviceId === undefined ? undefined : this.#byId.get(who.appserviceId);
    if (own && !own.coversAlias(alias)) {
      throw new MatrixError("M_EXCLUSIVE", `${alias} is not in this application service's namespaces`);
    }
    const isReserved = this.all.some(
      (other) => other !== own && other.senderId !== who.userId && other.isExclusiveAlias(alias),
    );
    if (isReserved) throw new MatrixError("M_EXCLUSIVE", `${alias} is reserved by an application service`);
  }
}

function keyOf(token: string): string {
  return hashToken(token).toString("latin1");
}
