import type { ServerName } from "../../protocol/identifiers.ts";
import type { Credentials, LoggedIn, SessionWish } from "../../services/accounts/new-session.ts";
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

/** @param serverName for the deprecated `home_server`, which old clients cannot do without */
export function loggedInJson(loggedIn: LoggedIn, serverName: ServerName): object {
  const { userId, deviceId } = loggedIn;
  return { user_id: userId, device_id: deviceId, home_server: serverName, ...credentialsJson(loggedIn) };
}

export function registeredJson({ userId, loggedIn }: Registered, serverName: ServerName): object {
  if (!loggedIn) return { user_id: userId, home_server: serverName };
  return loggedInJson({ userId, ...loggedIn }, serverName);
}
