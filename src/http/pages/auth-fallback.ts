import type { Policies } from "../../auth/terms-stage.ts";
import type { Reply } from "../reply.ts";
import { page } from "./page.ts";
import { termsInput } from "./terms-input.ts";

/** For each stage that has a page, what it asks for: the key of the authentication data and its input. */
const inputs: Readonly<Record<string, string>> = {
  "m.login.password": `<label>Your password
<input name="password" type="password" autocomplete="current-password" required autofocus></label>`,
  "m.login.registration_token": `<label>Your registration token
<input name="token" autocomplete="off" autocapitalize="off" required autofocus></label>`,
  "m.login.dummy": "<p>There is nothing to do here but to go on.</p>",
};

/** Sends what was filled in, then tells the client's own window as the specification has it. */
const script = `
const form = document.querySelector("form");
const message = document.querySelector("[role=alert]");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  message.textContent = "";
  const session = new URLSearchParams(location.search).get("session");
  const body = JSON.stringify({ ...Object.fromEntries(new FormData(form)), session });
  try {
    const response = await fetch(location.pathname, { method: "POST", body });
    if (!response.ok) throw new Error((await response.json()).error);
  } catch (error) {
    message.textContent = error.message;
    return;
  }
  form.hidden = true;
  message.textContent = "Done: you can close this window.";
  if (window.onAuthDone) {
    window.onAuthDone();
  } else if (window.opener && window.opener.postMessage) {
    window.opener.postMessage("authDone", "*");
  }
});
`;

/** The page on which a stage can be done in a browser, or `undefined` for a stage that has none. */
export function authFallbackPage(
  stageType: string,
  policies: Policies,
  acceptLanguage: string | undefined,
): Reply | undefined {
  const own = Object.hasOwn(inputs, stageType) ? inputs[stageType] : undefined;
  const input = stageType === "m.login.terms" ? termsInput(policies, acceptLanguage) : own;
  if (input === undefined) return undefined;
  const main = `<form>\n${input}\n<button>Continue</button>\n</form>\n<p role="alert"></p>`;
  return page({ title: "Confirm that it is you", main, script });
}
