import type { ClientInfo } from "../../oauth/authorization-server.ts";
import { html, type Html } from "./html.ts";
import { errorNote } from "./sso.ts";
import type { Texts } from "./texts/texts.ts";

/** The values of `answer` in the forms. */
export const answers = { allow: "allow", deny: "deny", other: "other-account" } as const;

export interface ConsentForm {
  readonly action: string;
  readonly client: ClientInfo;
  readonly deviceId: string;
  readonly userId: string;
  /** Where the browser goes afterwards. */
  readonly place: string;
}

export function consentForm({ action, client, deviceId, userId, place }: ConsentForm, texts: Texts): Html {
  return html`${grants(client, deviceId, userId, texts)}
<p class="note">${texts.consent.returnsTo(place)}</p>
<form method="post" action="${action}">
<input type="hidden" name="user" value="${userId}">
<button class="primary" name="answer" value="${answers.allow}">${texts.consent.allow}</button>
<button name="answer" value="${answers.deny}">${texts.consent.deny}</button>
<button name="answer" value="${answers.other}">${texts.consent.otherAccount}</button>
</form>`;
}

export interface LinkForm {
  readonly action: string;
  readonly client: ClientInfo;
  readonly deviceId: string;
  readonly userId: string;
  readonly userCode: string;
  readonly address: string;
}

export function deviceLinkForm(form: LinkForm, texts: Texts): Html {
  const { action, client, deviceId, userId, userCode, address } = form;
  return html`<p class="code">${userCode}</p>
<p>${texts.link.check}</p>
<p class="note">${texts.link.askedFrom(address)}</p>
${grants(client, deviceId, userId, texts)}
<form method="post" action="${action}">
<input type="hidden" name="user_code" value="${userCode}">
<input type="hidden" name="user" value="${userId}">
<button class="primary" name="answer" value="${answers.allow}">${texts.link.allow}</button>
<button name="answer" value="${answers.deny}">${texts.link.deny}</button>
</form>`;
}

export function codeForm(action: string, error: string | undefined, texts: Texts): Html {
  return html`${error !== undefined && errorNote(error)}
<p>${texts.link.explanation}</p>
<form method="get" action="${action}">
<label>${texts.link.code}
<input name="user_code" autocomplete="off" autocapitalize="characters" spellcheck="false" required autofocus></label>
<button class="primary">${texts.next}</button>
</form>`;
}

function grants(client: ClientInfo, deviceId: string, userId: string, texts: Texts): Html {
  const { uri, termsUri, policyUri } = client;
  const link = (address: string | undefined, text: string) =>
    address !== undefined && html`<li><a href="${address}" rel="noreferrer">${text}</a></li>\n`;
  return html`<p>${texts.consent.account(userId)}</p>
<ul>
<li>${texts.consent.fullAccess}</li>
<li>${texts.consent.device(deviceId)}</li>
</ul>
<ul class="plain note">
${link(uri, texts.consent.about)}${link(termsUri, texts.consent.terms)}${link(policyUri, texts.consent.policy)}</ul>`;
}
