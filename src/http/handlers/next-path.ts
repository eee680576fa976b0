import { pathsOf } from "../../api/endpoint.ts";
import { showRegister, showSignIn } from "../../api/pages/account.ts";

const [signInPath = ""] = pathsOf(showSignIn);
const [registerPath = ""] = pathsOf(showRegister);
const fallback = "/account/";
const maxLength = 4_000;
const anyOrigin = "https://any.invalid";

/**
 * Where to go on after signing in: a page of this server that is for people who are signed in. Anything else, such as the
 * address of a stranger's site, becomes the account page.
 */
export function nextPath(given: string | undefined): string {
  if (given === undefined || given.length > maxLength || !given.startsWith("/")) return fallback;
  const url = URL.parse(given, anyOrigin);
  const isOurs = url?.origin === anyOrigin && /^\/(account(\/|$)|link$)/.test(url.pathname);
  return isOurs ? url.pathname + url.search : fallback;
}

/** The page to sign in on, and then to go on with another. @param loginHint as clients give it (MSC4198) */
export function signInPathFor(next: string, loginHint?: string): string {
  const query = new URLSearchParams({ next });
  if (loginHint !== undefined) query.set("login_hint", loginHint.slice(0, 300));
  return `${signInPath}?${query.toString()}`;
}

/** The page to make an account on, and then to go on with another. */
export function registerPathFor(next: string): string {
  return `${registerPath}?${new URLSearchParams({ next }).toString()}`;
}
