import type { ProviderConfig } from "../../sso/upstream-provider.ts";
import { html, type Html } from "./html.ts";
import { errorNote, providerLinks } from "./sso.ts";
import type { Texts } from "./texts/texts.ts";

export interface SignInForm {
  readonly action: string;
  readonly next: string;
  readonly username: string;
  readonly error: string | undefined;
  readonly providers: readonly Pick<ProviderConfig, "id" | "name">[];
  readonly providerLink: (providerId: string) => string;
  /** Where one makes an account, if one can. */
  readonly registerPath: string | undefined;
}

export function signInForm(form: SignInForm, texts: Texts): Html {
  const { username, error, providers, registerPath } = form;
  return html`${error !== undefined && errorNote(error)}
<form method="post" action="${form.action}">
<input type="hidden" name="next" value="${form.next}">
<label>${texts.username}
<input name="username" value="${username}" autocomplete="username" autocapitalize="none" spellcheck="false" required${username === "" && html` autofocus`}></label>
<label>${texts.password}
<input name="password" type="password" autocomplete="current-password" required${username !== "" && html` autofocus`}></label>
<button class="primary">${texts.signIn.submit}</button>
</form>
${providers.length > 0 && html`<p class="note">${texts.signIn.or}</p>\n${providerLinks(providers, form.providerLink, texts)}`}
${registerPath !== undefined && html`<p><a href="${registerPath}">${texts.signIn.register}</a></p>`}`;
}

export interface Policy {
  /** The name of the field that says that it is accepted. */
  readonly field: string;
  readonly name: string;
  readonly url: string;
}

export interface RegisterForm {
  readonly action: string;
  readonly next: string;
  readonly username: string;
  readonly serverName: string;
  readonly needsToken: boolean;
  readonly policies: readonly Policy[];
  readonly signInPath: string;
  readonly error: string | undefined;
}

export function registerForm(form: RegisterForm, texts: Texts): Html {
  const { error, needsToken, policies } = form;
  return html`${error !== undefined && errorNote(error)}
<form method="post" action="${form.action}">
<input type="hidden" name="next" value="${form.next}">
<label>${texts.username}
<input name="username" value="${form.username}" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus></label>
<p class="note">${texts.usernameHint(form.serverName)}</p>
<label>${texts.password}
<input name="password" type="password" autocomplete="new-password" required></label>
${
  needsToken &&
  html`<label>${texts.register.token}
<input name="token" autocomplete="off" autocapitalize="none" required></label>`
}
${policies.map(
  ({ field, name, url }) =>
    html`<label class="check"><input type="checkbox" name="${field}" value="yes" required> <a href="${url}">${texts.register.accept(name)}</a></label>\n`,
)}
<button class="primary">${texts.register.submit}</button>
</form>
<p><a href="${form.signInPath}">${texts.register.haveAccount}</a></p>`;
}
