import type { Appservice } from "../appservices/registration.ts";
import type { AppserviceRegistry } from "../appservices/registry.ts";
import { parseUserId, type UserId } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { AccountStore } from "../storage/accounts.ts";
import type { DeviceStore } from "../storage/devices.ts";
import type { DeviceActivity } from "./device-activity.ts";
import type { Authenticator, IdentifiedRequest, Requester } from "./requester.ts";
import { hashToken } from "./tokens.ts";

export interface AppserviceAuthenticatorParts {
  readonly appservices: AppserviceRegistry;
  readonly accounts: Pick<AccountStore, "find">;
  readonly devices: Pick<DeviceStore, "find">;
  readonly activity: Pick<DeviceActivity, "saw">;
  /** For the tokens of everybody else. */
  readonly users: Pick<Authenticator, "requesterOf">;
}

/** Parameters that name a device: the second one by its name before it was specified (MSC4326). */
const deviceParameters = ["device_id", "org.matrix.msc3202.device_id"];

/** Lets application services act as their users (application service API, "Identity assertion"). */
export class AppserviceAuthenticator implements Authenticator {
  readonly #parts: AppserviceAuthenticatorParts;

  constructor(parts: AppserviceAuthenticatorParts) {
    this.#parts = parts;
  }

  /**
   * @throws MatrixError M_UNKNOWN_TOKEN; for application services M_FORBIDDEN when the user is none of theirs or has not been
   *   registered, M_USER_DEACTIVATED, M_UNKNOWN_DEVICE.
   */
  async requesterOf(accessToken: string, request: IdentifiedRequest): Promise<Requester> {
    const tokenHash = hashToken(accessToken);
    const appservice = this.#parts.appservices.byTokenHash(tokenHash);
    if (!appservice) return this.#parts.users.requesterOf(accessToken, request);
    const query = new URLSearchParams(request.search);
    const userId = assertedUser(appservice, query.get("user_id"));
    const user = await this.#user(appservice, userId, tokenHash);
    const deviceId = deviceParameters.map((name) => query.get(name)).find((id) => id !== null);
    return deviceId === undefined || deviceId === null ? user : this.#withDevice(user, deviceId, request);
  }

  async appserviceOf(accessToken: string): Promise<Requester | undefined> {
    const tokenHash = hashToken(accessToken);
    const appservice = this.#parts.appservices.byTokenHash(tokenHash);
    return appservice && this.#user(appservice, appservice.senderId, tokenHash);
  }

  async #user(appservice: Appservice, userId: UserId, tokenHash: Buffer): Promise<Requester> {
    const account = await this.#parts.accounts.find(userId);
    if (!account) {
      throw new MatrixError("M_FORBIDDEN", `The application service has not registered ${userId}`);
    }
    if (account.isDeactivated) throw new MatrixError("M_USER_DEACTIVATED", `${userId} has been deactivated`);
    const { userNid, isGuest, isAdmin, isLocked, isSuspended } = account;
    return {
      userNid,
      userId,
      deviceId: "",
      isGuest,
      isAdmin,
      isLocked,
      isSuspended,
      tokenHash,
      appserviceId: appservice.id,
      // "Whether requests from masqueraded users are rate-limited. The sender is excluded."
      isUnlimited: !appservice.registration.isRateLimited || userId === appservice.senderId,
    };
  }

  async #withDevice(user: Requester, deviceId: string, request: IdentifiedRequest): Promise<Requester> {
    if (!(await this.#parts.devices.find(user.userNid, deviceId))) {
      throw new MatrixError("M_UNKNOWN_DEVICE", `${user.userId} has no device ${deviceId.slice(0, 255)}`);
    }
    const requester = { ...user, deviceId };
    this.#parts.activity.saw(requester, request);
    return requester;
  }
}

/** "If the parameter is missing, the homeserver is to assume [...] the user implied by the `sender_localpart`." */
function assertedUser(appservice: Appservice, text: string | null): UserId {
  if (text === null) return appservice.senderId;
  const userId = parseUserId(text);
  if (userId !== undefined && appservice.coversUser(userId)) return userId;
  throw new MatrixError(
    "M_FORBIDDEN",
    `The application service may not act as ${text.slice(0, 255)}: it is in none of its namespaces`,
  );
}
