import type { IncomingMessage } from "node:http";
import { browserSessionLifetimeMs } from "../auth/browser-sessions.ts";
import { cookieOf, setCookie } from "./cookies.ts";

/** Over HTTPS with a prefix by which browsers make sure that the cookie is of this very host. */
function nameFor(ownOrigin: string): string {
  return ownOrigin.startsWith("https:") ? "__Host-hearth_session" : "hearth_session";
}

/** The cookie of a browser in which somebody has signed in. */
export function browserSessionCookie(secret: string, ownOrigin: string): string {
  const isSecure = ownOrigin.startsWith("https:");
  return setCookie(nameFor(ownOrigin), secret, { path: "/", maxAgeMs: browserSessionLifetimeMs, isSecure });
}

/** Takes the cookie away. */
export function noBrowserSessionCookie(ownOrigin: string): string {
  const isSecure = ownOrigin.startsWith("https:");
  return setCookie(nameFor(ownOrigin), "", { path: "/", maxAgeMs: 0, isSecure });
}

/** What the browser has brought along. */
export function browserSessionSecret(incoming: IncomingMessage, ownOrigin: string): string | undefined {
  return cookieOf(incoming, nameFor(ownOrigin));
}
