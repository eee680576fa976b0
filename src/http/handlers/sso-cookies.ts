import { pathsOf } from "../../api/endpoint.ts";
import { ssoCallback } from "../../api/pages/sso.ts";
import { signOnLifetimeMs, type SignOnPurpose, type SingleSignOn } from "../../sso/single-sign-on.ts";
import { setCookie } from "../cookies.ts";
import { redirect } from "../pages/browser-page.ts";
import type { Reply } from "../reply.ts";

const [callbackPath = ""] = pathsOf(ssoCallback);

/** The cookie of one attempt to sign in, by its key. */
export function signOnCookie(key: string, ownOrigin: string) {
  const name = `hearth_sso_${key}`;
  const options = { path: callbackPath, isSecure: ownOrigin.startsWith("https:") };
  return {
    name,
    removed: setCookie(name, "", { ...options, maxAgeMs: 0 }),
    holding: (value: string) => setCookie(name, value, { ...options, maxAgeMs: signOnLifetimeMs }),
  };
}

/**
 * Sends a browser to a provider, with what it has to bring back.
 * @throws SignOnError when the provider cannot be asked for its endpoints
 */
export async function beginSignOn(
  singleSignOn: SingleSignOn,
  providerId: string,
  purpose: SignOnPurpose,
  ownOrigin: string,
): Promise<Reply> {
  const { location, key, sealed } = await singleSignOn.begin(providerId, purpose);
  return redirect(location, [signOnCookie(key, ownOrigin).holding(sealed)]);
}
