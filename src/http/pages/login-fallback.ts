import type { Reply } from "../reply.ts";
import { page } from "./page.ts";

const main = `<form>
<label>Username
<input name="user" autocomplete="username" autocapitalize="off" spellcheck="false" required autofocus></label>
<label>Password
<input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>
<p role="alert"></p>`;

/** Logs in with what was filled in and what the client wishes in the query, then hands the answer to the client. */
const script = `
const form = document.querySelector("form");
const message = document.querySelector("[role=alert]");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  message.textContent = "";
  const { user, password } = Object.fromEntries(new FormData(form));
  const wishes = Object.fromEntries(new URLSearchParams(location.search));
  if ("refresh_token" in wishes) wishes.refresh_token = wishes.refresh_token === "true";
  const identifier = { type: "m.id.user", user };
  const body = JSON.stringify({ ...wishes, type: "m.login.password", identifier, password });
  let answer;
  try {
    const response = await fetch("/_matrix/client/v3/login", { method: "POST", body });
    answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
  } catch (error) {
    message.textContent = error.message;
    return;
  }
  form.hidden = true;
  message.textContent = "You are logged in: you can close this window.";
  if (window.matrixLogin && window.matrixLogin.onLogin) window.matrixLogin.onLogin(answer);
});
`;

/** The page on which somebody can log in whose client cannot do it (client-server API, "Login Fallback"). */
export function loginFallbackPage(): Reply {
  return page({ title: "Log in", main, script });
}
