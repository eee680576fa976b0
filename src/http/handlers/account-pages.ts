import { pathsOf } from "../../api/endpoint.ts";
import {
  allowCrossSigningReset,
  deactivateByPage,
  showAccount,
  signOut,
  signOutDevice,
} from "../../api/pages/account.ts";
import type { CrossSigningResets } from "../../auth/cross-signing-resets.ts";
import { accountActionAliases } from "../../oauth/server-metadata.ts";
import type { OwnAccount } from "../../services/accounts/own-account.ts";
import type { Devices } from "../../services/devices.ts";
import { pageHandler, type PageParts, type Reader } from "../browser-request.ts";
import { noBrowserSessionCookie } from "../browser-session-cookie.ts";
import { accountContent, actForm, deviceContent } from "../pages/account.ts";
import { redirect } from "../pages/browser-page.ts";
import { html } from "../pages/html.ts";
import type { BoundEndpoint } from "../pipeline.ts";
import type { Reply } from "../reply.ts";
import type { Request } from "../request.ts";
import type { BrowserIdentity, BrowserUser } from "./browser-identity.ts";
import { signInPathFor } from "./next-path.ts";

export interface AccountPageParts extends PageParts {
  readonly identity: BrowserIdentity;
  readonly devices: Devices;
  readonly ownAccount: OwnAccount;
  readonly resets: CrossSigningResets;
}

const [accountPath = ""] = pathsOf(showAccount);
const [signOutPath = ""] = pathsOf(signOut);
const [signOutDevicePath = ""] = pathsOf(signOutDevice);
const [resetPath = ""] = pathsOf(allowCrossSigningReset);
const [deactivatePath = ""] = pathsOf(deactivateByPage);

/** Where an action begins (client-server API, "Account management URL parameters"). */
export function accountActionPath(action: string, deviceId?: string): string {
  const query = new URLSearchParams({ action, ...(deviceId !== undefined && { device_id: deviceId }) });
  return `${accountPath}?${query.toString()}`;
}

/** Pages on which people look after their accounts. */
export function accountPageHandlers(parts: AccountPageParts): BoundEndpoint[] {
  const { identity, devices, ownAccount, resets, ownOrigin } = parts;
  return [
    pageHandler(showAccount, parts, async (request, reader) => {
      const { query, context } = request;
      const user = await identity.of(context);
      const hint = query.login_hint ?? query["org.matrix.msc4198.login_hint"];
      return user ? actionPage(request, user, parts, reader) : redirect(signInPathFor(pathOf(request), hint));
    }),
    pageHandler(signOutDevice, parts, async ({ body, context }, reader) => {
      const user = await identity.of(context);
      if (!user) return redirect(signInPathFor(accountActionPath("org.matrix.device_view", body.device_id)));
      await devices.remove(user.account, [body.device_id]);
      return notice(
        reader.texts.account.device(body.device_id),
        reader.texts.account.signedOutDevice,
        parts,
        reader,
      );
    }),
    pageHandler(allowCrossSigningReset, parts, async ({ context }, reader) => {
      const user = await identity.of(context);
      if (!user?.isFresh) return redirect(signInPathFor(accountActionPath("org.matrix.cross_signing_reset")));
      resets.allow(user.account.userNid);
      return notice(reader.texts.account.resetTitle, reader.texts.account.resetDone, parts, reader);
    }),
    pageHandler(deactivateByPage, parts, async ({ body, context }, reader) => {
      const user = await identity.of(context);
      if (!user?.isFresh) return redirect(signInPathFor(accountActionPath("org.matrix.account_deactivate")));
      await ownAccount.deactivate(user.account, body.erase === "yes");
      const { language, texts } = reader;
      return parts.pages.page({
        language,
        title: texts.account.deactivateTitle,
        main: html`<p role="status">${texts.account.deactivated}</p>`,
        headers: { "Set-Cookie": [noBrowserSessionCookie(ownOrigin)] },
      });
    }),
  ];
}

type AccountRequest = Request<typeof showAccount>;

async function actionPage(
  request: AccountRequest,
  user: BrowserUser,
  parts: AccountPageParts,
  reader: Reader,
): Promise<Reply> {
  const { action = "", device_id: deviceId } = request.query;
  switch (Object.hasOwn(accountActionAliases, action) ? accountActionAliases[action] : action) {
    case "org.matrix.device_view":
    case "org.matrix.device_delete":
      if (deviceId !== undefined) return devicePage(user, deviceId, parts, reader);
      break;
    case "org.matrix.cross_signing_reset":
      return user.isFresh ? resetPage(user, parts, reader) : redirect(signInPathFor(pathOf(request)));
    case "org.matrix.account_deactivate":
      return user.isFresh ? deactivatePage(user, parts, reader) : redirect(signInPathFor(pathOf(request)));
    default:
  }
  return overviewPage(user, parts, reader);
}

async function overviewPage(
  { account }: BrowserUser,
  { devices, pages }: AccountPageParts,
  { language, texts }: Reader,
): Promise<Reply> {
  const content = {
    userId: account.userId,
    devices: await devices.list(account),
    devicePath: (deviceId: string) => accountActionPath("org.matrix.device_view", deviceId),
    signOutAction: signOutPath,
  };
  const main = accountContent(content, texts, language);
  return pages.page({ language, title: texts.account.title, main });
}

async function devicePage(
  { account }: BrowserUser,
  deviceId: string,
  { devices, pages }: AccountPageParts,
  { language, texts }: Reader,
): Promise<Reply> {
  const device = (await devices.list(account)).find((own) => own.deviceId === deviceId);
  const main = deviceContent({ device, signOutAction: signOutDevicePath, accountPath }, texts, language);
  const name = device?.displayName ?? deviceId.slice(0, 255);
  return pages.page({ language, title: texts.account.device(name), main, status: device ? 200 : 404 });
}

function resetPage(
  { account }: BrowserUser,
  { pages }: AccountPageParts,
  { language, texts }: Reader,
): Reply {
  const form = {
    action: resetPath,
    explanation: texts.account.resetExplanation,
    userId: account.userId,
    button: texts.account.reset,
    accountPath,
  };
  return pages.page({ language, title: texts.account.resetTitle, main: actForm(form, texts) });
}

function deactivatePage(
  { account }: BrowserUser,
  { pages }: AccountPageParts,
  { language, texts }: Reader,
): Reply {
  const form = {
    action: deactivatePath,
    explanation: texts.account.deactivateExplanation,
    userId: account.userId,
    button: texts.account.deactivate,
    accountPath,
    option: { name: "erase", text: texts.account.erase },
  };
  return pages.page({ language, title: texts.account.deactivateTitle, main: actForm(form, texts) });
}

function notice(
  title: string,
  text: string,
  { pages }: AccountPageParts,
  { language, texts }: Reader,
): Reply {
  const main = html`<p role="status">${text}</p>\n<p><a href="${accountPath}">${texts.account.back}</a></p>`;
  return pages.page({ language, title, main });
}

/** The page itself with its query, to come back to. */
function pathOf({ query }: AccountRequest): string {
  const { action, device_id: deviceId } = query;
  return action === undefined ? accountPath : accountActionPath(action, deviceId);
}
