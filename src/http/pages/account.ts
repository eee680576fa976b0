import type { Device } from "../../storage/devices.ts";
import { html, type Html } from "./html.ts";
import { errorNote } from "./sso.ts";
import type { Language, Texts } from "./texts/texts.ts";

export interface AccountContent {
  readonly userId: string;
  readonly devices: readonly Device[];
  readonly devicePath: (deviceId: string) => string;
  readonly signOutAction: string;
}

/** A user's devices, the last used first. */
export function accountContent(content: AccountContent, texts: Texts, language: Language): Html {
  const { userId, devices, devicePath, signOutAction } = content;
  const sorted = devices.toSorted((a, b) => (b.lastSeenTs ?? b.createdTs) - (a.lastSeenTs ?? a.createdTs));
  return html`<p>${texts.account.signedInAs(userId)}</p>
<h2>${texts.account.devices}</h2>
<ul class="plain">
${sorted.map(
  (device) => html`<li><strong>${device.displayName ?? texts.account.noName}</strong><br>
<span class="note">${device.deviceId} &ndash; ${lastSeen(device, texts, language)}</span><br>
<a href="${devicePath(device.deviceId)}">${texts.account.show}</a></li>\n`,
)}</ul>
<form method="post" action="${signOutAction}">
<button>${texts.account.signOut}</button>
</form>`;
}

export interface DeviceContent {
  readonly device: Device | undefined;
  readonly signOutAction: string;
  readonly accountPath: string;
}

export function deviceContent(content: DeviceContent, texts: Texts, language: Language): Html {
  const { device, signOutAction, accountPath } = content;
  const back = html`<p><a href="${accountPath}">${texts.account.back}</a></p>`;
  if (!device) return html`${errorNote(texts.account.noDevice)}\n${back}`;
  return html`<p>${device.displayName ?? texts.account.noName}</p>
<p class="note">${device.deviceId} &ndash; ${lastSeen(device, texts, language)}</p>
<form method="post" action="${signOutAction}">
<input type="hidden" name="device_id" value="${device.deviceId}">
<p>${texts.account.signOutWarning}</p>
<button class="primary">${texts.account.signOutDevice}</button>
</form>
${back}`;
}

export interface ActForm {
  readonly action: string;
  readonly explanation: string;
  readonly userId: string;
  readonly button: string;
  readonly accountPath: string;
  /** A box to tick. */
  readonly option?: { readonly name: string; readonly text: string };
}

/** Asks before something that cannot be undone. */
export function actForm(form: ActForm, texts: Texts): Html {
  const { option } = form;
  return html`<p>${texts.account.signedInAs(form.userId)}</p>
<p>${form.explanation}</p>
<form method="post" action="${form.action}">
${
  option &&
  html`<label class="check"><input type="checkbox" name="${option.name}" value="yes"> ${option.text}</label>`
}
<button class="primary">${form.button}</button>
</form>
<p><a href="${form.accountPath}">${texts.account.back}</a></p>`;
}

function lastSeen({ lastSeenTs, lastSeenIp }: Device, texts: Texts, language: Language): string {
  if (lastSeenTs === null) return texts.account.neverSeen;
  const format = new Intl.DateTimeFormat(language, {
    dateStyle: "medium",
    timeStyle: "short",
    timeZone: "UTC",
  });
  return texts.account.lastSeen(`${format.format(lastSeenTs)} UTC`, lastSeenIp ?? "?");
}
