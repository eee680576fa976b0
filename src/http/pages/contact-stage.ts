import { preferredLanguage } from "../../delivery/languages.ts";
import type { Reply } from "../reply.ts";
import { html } from "./html.ts";
import { page } from "./page.ts";

/** The stages of {@link contactStagePage}, and what is asked for first. */
type ContactStageType = "m.login.email.identity" | "m.login.msisdn";

interface Words {
  readonly title: string;
  readonly email: string;
  readonly country: string;
  readonly phone: string;
  readonly send: string;
  readonly openLink: string;
  readonly code: string;
  readonly next: string;
  readonly done: string;
}

const words: Readonly<Record<string, Words>> = {
  en: {
    title: "Confirm that it is you",
    email: "Your e-mail address",
    country: "Country, by its two letters (such as GB)",
    phone: "Your telephone number",
    send: "Send me a message",
    openLink: "Open the link in the message that you get, then continue here.",
    code: "The number in the message",
    next: "Continue",
    done: "Done: you can close this window.",
  },
  zh: {
    title: "请确认是您本人",
    email: "您的电子邮件地址",
    country: "国家或地区的两个字母代码（例如 CN）",
    phone: "您的电话号码",
    send: "发送消息",
    openLink: "请打开您收到的消息中的链接，然后在此继续。",
    code: "消息中的验证码",
    next: "继续",
    done: "完成：您可以关闭此窗口。",
  },
};

/** First has a message sent; then proves by its token, or waits for that to be done, and passes the stage. */
const script = `
const [ask, prove] = document.querySelectorAll("form");
const message = document.querySelector("[role=alert]");
const secret = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
  byte.toString(16).padStart(2, "0")).join("");
let attempt = 0;
let sid;
let submitUrl;
async function post(url, body) {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}
function on(form, work) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    message.textContent = "";
    try {
      await work(Object.fromEntries(new FormData(form)));
    } catch (error) {
      message.textContent = error.message;
    }
  });
}
on(ask, async (fields) => {
  attempt += 1;
  const answer = await post(ask.dataset.url, { ...fields, client_secret: secret, send_attempt: attempt });
  sid = answer.sid;
  submitUrl = answer.submit_url;
  prove.hidden = false;
});
on(prove, async (fields) => {
  if (submitUrl) await post(new URL(submitUrl).pathname, { ...fields, sid, client_secret: secret });
  const session = new URLSearchParams(location.search).get("session");
  await post(location.pathname, { session, threepid_creds: { sid, client_secret: secret } });
  ask.hidden = prove.hidden = true;
  message.textContent = prove.dataset.done;
  if (window.onAuthDone) {
    window.onAuthDone();
  } else if (window.opener && window.opener.postMessage) {
    window.opener.postMessage("authDone", "*");
  }
});
`;

/**
 * The page on which somebody proves an address.
 * @param requestPath where messages are asked for: it depends on what the address is proved for
 */
export function contactStagePage(
  stageType: ContactStageType,
  requestPath: string,
  acceptLanguage: string | undefined,
): Reply {
  const language = preferredLanguage(acceptLanguage, Object.keys(words)) ?? "en";
  const text = words[language] as Words;
  const isEmail = stageType === "m.login.email.identity";
  const inputs = isEmail
    ? html`<label>${text.email} <input name="email" type="email" required autofocus></label>`
    : html`<label>${text.country} <input name="country" pattern="[A-Z]{2}" required autofocus></label>
<label>${text.phone} <input name="phone_number" type="tel" required></label>`;
  const proof = isEmail
    ? html`<p>${text.openLink}</p>`
    : html`<label>${text.code} <input name="token" inputmode="numeric" autocomplete="one-time-code" required></label>`;
  const main = html`<form data-url="${requestPath}/${isEmail ? "email" : "msisdn"}/requestToken">
${inputs}
<button>${text.send}</button>
</form>
<form data-done="${text.done}" hidden>
${proof}
<button>${text.next}</button>
</form>
<p role="alert"></p>`.text;
  return page({ title: text.title, main, script, language });
}

/** Whether a stage is one of {@link contactStagePage}. */
export function isContactStage(stageType: string): stageType is ContactStageType {
  return stageType === "m.login.email.identity" || stageType === "m.login.msisdn";
}
