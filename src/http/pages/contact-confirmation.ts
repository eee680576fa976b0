import { preferredLanguage } from "../../delivery/languages.ts";
import type { Reply } from "../reply.ts";
import { page } from "./page.ts";

interface Words {
  readonly title: string;
  readonly question: string;
  readonly confirm: string;
  readonly done: string;
}

const words: Readonly<Record<string, Words>> = {
  en: {
    title: "Confirm your address",
    question: "Is the address to which this was sent yours, and have you asked for it yourself?",
    confirm: "Yes, confirm",
    done: "Confirmed. You can close this window and go back to where you began.",
  },
  zh: {
    title: "确认您的地址",
    question: "收到此消息的地址是您的吗？是您本人提出的请求吗？",
    confirm: "是的，确认",
    done: "已确认。您可以关闭此窗口，回到您刚才的页面。",
  },
};

const script = `
const form = document.querySelector("form");
const message = document.querySelector("[role=alert]");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  message.textContent = "";
  const body = JSON.stringify(Object.fromEntries(new URLSearchParams(location.search)));
  let answer;
  try {
    const response = await fetch(location.pathname, { method: "POST", body });
    answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
  } catch (error) {
    message.textContent = error.message;
    return;
  }
  form.hidden = true;
  message.textContent = form.dataset.done;
  if (answer.next_link) location.replace(answer.next_link);
});
`;

/** The page on which somebody confirms that an address is theirs, in the language of their browser. */
export function contactConfirmationPage(acceptLanguage: string | undefined): Reply {
  const language = preferredLanguage(acceptLanguage, Object.keys(words)) ?? "en";
  const { title, question, confirm, done } = words[language] as Words;
  const main = `<form data-done="${done}">\n<p>${question}</p>\n<button autofocus>${confirm}</button>\n</form>
<p role="alert"></p>`;
  return page({ title, main, script, language });
}
