import type { Credentials, SessionWish } from "../../services/accounts/new-session.ts";
import type { Registered } from "../../services/accounts/registration.ts";

/** The keys by which a client asks for its session, when it registers or logs in. */
export interface SessionWishJson {
  readonly device_id?: string;
  readonly initial_device_display_name?: string;
  readonly refresh_token?: boolean;
}

export function sessionWish(body: SessionWishJson): SessionWish {
  return {
    deviceId: body.device_id,
    displayName: body.initial_device_display_name,
    canRefresh: body.refresh_token,
  };
}

export function credentialsJson({ accessToken, refreshToken, expiresInMs }: Credentials): object {
  return {
    access_token: accessToken,
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    ...(expiresInMs !== undefined && { expires_in_ms: expiresInMs }),
  };
}

export function registeredJson({ userId, loggedIn }: Registered): object {
  if (!loggedIn) return { user_id: userId };
  return { user_id: userId, device_id: loggedIn.deviceId, ...credentialsJson(loggedIn) };
}
