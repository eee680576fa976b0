import { call } from "../api/matrix-api.ts";

/** A way to sign in, as the server lists it. */
export interface LoginFlow {
  readonly type: string;
  readonly identity_providers?: readonly { readonly id: string; readonly name: string }[];
}

/** `unexpected`: it was not begun by this page. */
export type ReturnedSignOn = { readonly token: string } | "unexpected" | undefined;

const stateKey = "hearth.console.sign-on";
const consolePath = "/_hearth/console";

export async function loginFlows(): Promise<readonly LoginFlow[]> {
  const response = await call("/_matrix/client/v3/login", {});
  return ((await response.json()) as { flows: LoginFlow[] }).flows;
}

/** Leaves for the pages on which somebody signs in without telling this page a password. */
export function leaveForSignOn(providerId?: string): void {
  const state = crypto.randomUUID();
  // Whoever comes back with another one was sent here by somebody else, who would like to be taken for the user.
  sessionStorage.setItem(stateKey, state);
  const back = new URL(consolePath, location.origin);
  back.searchParams.set("state", state);
  const to = providerId === undefined ? "redirect" : `redirect/${encodeURIComponent(providerId)}`;
  const query = new URLSearchParams({ redirectUrl: back.href });
  location.assign(`/_matrix/client/v3/login/sso/${to}?${query.toString()}`);
}

/** What the sign-on has come back with, which is taken out of the address. */
export function takeLoginToken(): ReturnedSignOn {
  const query = new URLSearchParams(location.search);
  const token = query.get("loginToken");
  if (token === null) return undefined;
  const state = query.get("state");
  const isExpected = state !== null && state === sessionStorage.getItem(stateKey);
  sessionStorage.removeItem(stateKey);
  history.replaceState(null, "", consolePath + location.hash);
  return isExpected ? { token } : "unexpected";
}
