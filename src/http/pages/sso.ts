import type { ProviderConfig } from "../../sso/upstream-provider.ts";
import { html, type Html } from "./html.ts";
import type { Texts } from "./texts/texts.ts";

/** A link to each provider. @param linkTo where it is that somebody signs in by the provider of this ID */
export function providerLinks(
  providers: readonly Pick<ProviderConfig, "id" | "name">[],
  linkTo: (providerId: string) => string,
  texts: Texts,
): Html {
  return html`${providers.map(
    ({ id, name }) => html`<a class="button" href="${linkTo(id)}">${texts.signIn.withProvider(name)}</a>\n`,
  )}`;
}

export interface ChooseNameForm {
  readonly action: string;
  /** The sealed identity. */
  readonly newcomer: string;
  readonly providerName: string;
  readonly serverName: string;
  readonly displayName: string | undefined;
  readonly username: string;
  readonly error: string | undefined;
}

export function chooseNameForm(form: ChooseNameForm, texts: Texts): Html {
  const { displayName, error } = form;
  return html`<p>${texts.chooseName.explanation(form.providerName)}</p>
${displayName !== undefined && html`<p>${texts.chooseName.displayName(displayName)}</p>`}
${error !== undefined && errorNote(error)}
<form method="post" action="${form.action}">
<input type="hidden" name="newcomer" value="${form.newcomer}">
<label>${texts.username}
<input name="username" value="${form.username}" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus></label>
<p class="note">${texts.usernameHint(form.serverName)}</p>
<button class="primary">${texts.chooseName.submit}</button>
</form>`;
}

export interface ConfirmClientForm {
  readonly action: string;
  /** The sealed account and address. */
  readonly confirmation: string;
  /** Who waits for the answer. */
  readonly place: string;
  readonly userId: string;
}

export function confirmClientForm(
  { action, confirmation, place, userId }: ConfirmClientForm,
  texts: Texts,
): Html {
  return html`<p>${texts.confirmClient.question(place, userId)}</p>
<p class="note">${texts.confirmClient.warning}</p>
<form method="post" action="${action}">
<input type="hidden" name="confirmation" value="${confirmation}">
<button class="primary">${texts.next}</button>
</form>`;
}

export function errorNote(text: string): Html {
  return html`<p class="error" role="alert">${text}</p>`;
}

/** Tells a client that the stage is done (client-server API, "Fallback"). */
export const stageDoneScript = `
if (window.onAuthDone) {
  window.onAuthDone();
} else if (window.opener && window.opener.postMessage) {
  window.opener.postMessage("authDone", "*");
}
`;
