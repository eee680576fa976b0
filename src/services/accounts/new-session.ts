import { encodeBase64Url } from "../../protocol/base64.ts";
import { hashToken, newToken } from "../../auth/tokens.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { OAuthBinding } from "../../storage/oauth.ts";
import type { NewSession, SessionTokens } from "../../storage/sessions.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { RandomBytes } from "../../telemetry/random.ts";

/** What a client may ask of the session that it is about to get. */
export interface SessionWish {
  readonly deviceId?: string | undefined;
  readonly displayName?: string | undefined;
  /** Whether the client knows how to refresh its access token, so that it may expire. */
  readonly canRefresh?: boolean | undefined;
  /** Which client of the OAuth 2.0 API it is, and by which grant. */
  readonly oauth?: Omit<OAuthBinding, "familyHash"> | undefined;
}

/** What only the client gets to see: its tokens. */
export interface Credentials {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** How long the access token lives; `undefined` for without end. */
  readonly expiresInMs: number | undefined;
}

/** Who has logged in, and with what they go on. */
export interface LoggedIn extends Credentials {
  readonly userId: string;
  readonly deviceId: string;
}

/** How long an access token lives whose client can get another one. */
const accessTokenLifetimeMs = 60 * 60 * 1000;
const familyBytes = 18;
const deviceIdLetters = 10;
const maxDeviceIdLength = 255;
const maxDeviceNameLength = 255;

/** Makes tokens: the ones for the client, and their hashes for storage. */
export class SessionFactory {
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;

  constructor(clock: Clock, randomBytes: RandomBytes) {
    this.#clock = clock;
    this.#randomBytes = randomBytes;
  }

  /**
   * A session to be stored by whoever logs somebody in, with its credentials.
   * @throws MatrixError M_INVALID_PARAM for a device ID or name that cannot be used.
   */
  create(wish: SessionWish): { session: NewSession; credentials: Credentials } {
    const family = wish.oauth && encodeBase64Url(this.#randomBytes(familyBytes));
    const { tokens, credentials } = this.createTokens(wish.canRefresh ?? false, family);
    const session = {
      ...tokens,
      ...(wish.oauth && family !== undefined && { oauth: { ...wish.oauth, familyHash: hashToken(family) } }),
      deviceId: wish.deviceId === undefined ? this.#newDeviceId() : checkedDeviceId(wish.deviceId),
      displayName: wish.displayName === undefined ? null : checkedDeviceName(wish.displayName),
      createdTs: this.#clock.nowMs(),
    };
    return { session, credentials };
  }

  /** @param family what the refresh tokens of one session have in common, for those of the OAuth 2.0 API */
  createTokens(canRefresh: boolean, family?: string): { tokens: SessionTokens; credentials: Credentials } {
    const access = newToken("access", this.#randomBytes);
    const refresh = canRefresh ? newToken("refresh", this.#randomBytes, family) : undefined;
    const expiresInMs = canRefresh ? accessTokenLifetimeMs : undefined;
    return {
      tokens: {
        accessTokenHash: access.hash,
        refreshTokenHash: refresh?.hash ?? null,
        expiresTs: expiresInMs === undefined ? null : this.#clock.nowMs() + expiresInMs,
      },
      credentials: { accessToken: access.token, refreshToken: refresh?.token, expiresInMs },
    };
  }

  #newDeviceId(): string {
    return Array.from(this.#randomBytes(deviceIdLetters), (byte) =>
      String.fromCharCode(65 + (byte % 26)),
    ).join("");
  }
}

/** @throws MatrixError M_INVALID_PARAM */
export function checkedDeviceId(deviceId: string): string {
  if (deviceId !== "" && deviceId.length <= maxDeviceIdLength && deviceId.isWellFormed()) return deviceId;
  throw new MatrixError("M_INVALID_PARAM", `device_id must have 1 to ${maxDeviceIdLength} characters`);
}

/** @throws MatrixError M_INVALID_PARAM */
export function checkedDeviceName(name: string): string {
  if (name.length <= maxDeviceNameLength) return name;
  throw new MatrixError(
    "M_INVALID_PARAM",
    `A device's display name must not have more than ${maxDeviceNameLength} characters`,
  );
}

/** The family in a refresh token; `undefined` for one that has none. */
export function familyOf(refreshToken: string): string | undefined {
  return /^hrt_([\w-]{24})\.[\w-]+$/.exec(refreshToken)?.[1];
}
