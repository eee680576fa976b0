import type { JsonObject } from "../protocol/json.ts";
import type { ServerName } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { AccountStore } from "../storage/accounts.ts";
import { isUsable, type RegistrationTokenStore } from "../storage/registration-tokens.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { InteractiveRequest, Stage, StageFailure } from "./interactive.ts";
import type { PasswordCheck } from "./password-check.ts";
import type { ContactOwners } from "./contact-owners.ts";
import { userIdsNamed } from "./user-identifier.ts";

/** Client-server API, "Dummy Auth": always passes. */
export const dummyStage: Stage = {
  type: "m.login.dummy",
  attempt: () => Promise.resolve(undefined),
};

/** Client-server API, "Password-based": the password of the user who makes the request. */
export class PasswordStage implements Stage {
  readonly type = "m.login.password";
  readonly #accounts: AccountStore;
  readonly #passwords: PasswordCheck;
  readonly #owners: ContactOwners;
  readonly #serverName: ServerName;

  constructor(
    accounts: AccountStore,
    passwords: PasswordCheck,
    owners: ContactOwners,
    serverName: ServerName,
  ) {
    this.#owners = owners;
    this.#accounts = accounts;
    this.#passwords = passwords;
    this.#serverName = serverName;
  }

  async attempt(
    auth: JsonObject,
    { requester, context }: InteractiveRequest,
  ): Promise<StageFailure | undefined> {
    const { password } = auth;
    if (typeof password !== "string")
      return { errcode: "M_MISSING_PARAM", error: "auth.password has to be a string" };
    if (!requester)
      return { errcode: "M_FORBIDDEN", error: "A password proves nothing without an access token" };
    const name = await this.#owners.nameOf(auth);
    // The name may be left away: it can only be one.
    if (name !== undefined && !userIdsNamed(name, this.#serverName).includes(requester.userId)) {
      throw new MatrixError("M_FORBIDDEN", `This request has to be confirmed by ${requester.userId}`);
    }
    const account = await this.#accounts.findByNid(requester.userNid);
    const isRight = await this.#passwords.check(account, requester.userId, password, context.address);
    return isRight ? undefined : { errcode: "M_FORBIDDEN", error: "Wrong password" };
  }
}

/** Client-server API, "Token-authenticated registration". The token is spent when the account is made. */
export class RegistrationTokenStage implements Stage {
  readonly type = "m.login.registration_token";
  readonly #tokens: RegistrationTokenStore;
  readonly #clock: Clock;

  constructor(tokens: RegistrationTokenStore, clock: Clock) {
    this.#tokens = tokens;
    this.#clock = clock;
  }

  async attempt({ token }: JsonObject): Promise<StageFailure | undefined> {
    if (typeof token !== "string")
      return { errcode: "M_MISSING_PARAM", error: "auth.token has to be a string" };
    if (await this.isValid(token)) return undefined;
    return { errcode: "M_UNAUTHORIZED", error: "This registration token is not valid (any more)" };
  }

  /** Whether a token can be used just now. */
  async isValid(token: string): Promise<boolean> {
    const found = await this.#tokens.find(token);
    return found !== undefined && isUsable(found, this.#clock.nowMs());
  }
}
