import { pathsOf } from "../../api/endpoint.ts";
import { redirectToIdP } from "../../api/client/sso.ts";
import type { ProviderConfig } from "../../sso/upstream-provider.ts";
import type { Reply } from "../reply.ts";
import { html } from "./html.ts";
import { page } from "./page.ts";

export interface LoginFallbackContent {
  readonly providers: readonly Pick<ProviderConfig, "id" | "name">[];
  /** Whether clients may log in with passwords. */
  readonly hasPasswords: boolean;
}

const passwordForm = html`<form>
<label>Username
<input name="user" autocomplete="username" autocapitalize="off" spellcheck="false" required autofocus></label>
<label>Password
<input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>`;

/** Logs in with what was filled in and what the client wishes in the query, then hands the answer to the client. */
const script = `
const form = document.querySelector("form");
const message = document.querySelector("[role=alert]");
const { loginToken, ...wishes } = Object.fromEntries(new URLSearchParams(location.search));
if ("refresh_token" in wishes) wishes.refresh_token = wishes.refresh_token === "true";
async function logIn(by) {
  message.textContent = "";
  let answer;
  try {
    const body = JSON.stringify({ ...wishes, ...by });
    const response = await fetch("/_matrix/client/v3/login", { method: "POST", body });
    answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
  } catch (error) {
    message.textContent = error.message;
    return;
  }
  for (const part of document.querySelectorAll("form, a")) part.hidden = true;
  message.textContent = "You are logged in: you can close this window.";
  if (window.matrixLogin && window.matrixLogin.onLogin) window.matrixLogin.onLogin(answer);
}
if (form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { user, password } = Object.fromEntries(new FormData(form));
    logIn({ type: "m.login.password", identifier: { type: "m.id.user", user }, password });
  });
}
const back = new URL(location.href);
back.searchParams.delete("loginToken");
for (const link of document.querySelectorAll("a")) link.search = new URLSearchParams({ redirectUrl: back.href });
if (loginToken) {
  history.replaceState(null, "", back.href);
  logIn({ type: "m.login.token", token: loginToken });
}
`;

const [redirectPath = ""] = pathsOf(redirectToIdP);

/** The page on which somebody can log in whose client cannot do it (client-server API, "Login Fallback"). */
export function loginFallbackPage({ providers, hasPasswords }: LoginFallbackContent): Reply {
  const links = providers.map(
    ({ id, name }) =>
      html`<p><a href="${redirectPath.replace("{idpId}", encodeURIComponent(id))}">Continue with ${name}</a></p>\n`,
  );
  const main = html`${hasPasswords && passwordForm}\n${links}<p role="alert"></p>`;
  return page({ title: "Log in", main: main.text, script });
}
