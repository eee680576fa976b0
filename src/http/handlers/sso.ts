import { redirectToIdP, redirectToSSO } from "../../api/client/sso.ts";
import { ssoCallback, ssoChooseName, ssoConfirmClient } from "../../api/pages/sso.ts";
import { pathsOf } from "../../api/endpoint.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { parseClientUrl } from "../../sso/client-url.ts";
import { SignOnError } from "../../sso/errors.ts";
import type { ExternalAccounts } from "../../sso/external-accounts.ts";
import type { SingleSignOn, SignOnPurpose } from "../../sso/single-sign-on.ts";
import type { Logger } from "../../telemetry/log.ts";
import { errorPage, pageHandler, type PageParts, type Reader, wordsFor } from "../browser-request.ts";
import { cookieOf } from "../cookies.ts";
import { redirect } from "../pages/browser-page.ts";
import { chooseNameForm, providerLinks } from "../pages/sso.ts";
import type { BoundEndpoint } from "../pipeline.ts";
import type { Reply } from "../reply.ts";
import type { Newcomer, Newcomers } from "./sso-newcomers.ts";
import type { SignOnCompletion } from "./sso-completion.ts";
import { beginSignOn, signOnCookie } from "./sso-cookies.ts";

export interface SsoHandling extends PageParts {
  readonly singleSignOn: SingleSignOn;
  readonly accounts: ExternalAccounts;
  readonly completion: SignOnCompletion;
  readonly newcomers: Newcomers;
  readonly serverName: string;
  readonly log: Logger;
  /** Where somebody signs in to this server itself who waits for a client; `undefined` when it has no such page. */
  readonly signInPath: ((redirectUrl: string, wantsAccount: boolean) => string) | undefined;
}

const [chooseNamePath = ""] = pathsOf(ssoChooseName);
const [redirectPath = ""] = pathsOf(redirectToSSO);

/** Client-server API, "SSO client login/authentication". */
export function ssoHandlers(parts: SsoHandling): BoundEndpoint[] {
  return [
    pageHandler(redirectToSSO, parts, async ({ query }, reader) => {
      const { singleSignOn, signInPath } = parts;
      const { redirectUrl, action } = query;
      if (!parseClientUrl(redirectUrl)) return errorPage(parts.pages, reader, reader.texts.errors.noRedirect);
      if (signInPath) return redirect(signInPath(redirectUrl, action === "register"));
      const [first, second] = singleSignOn.providers;
      if (!first) throw new MatrixError("M_UNRECOGNIZED", "This server has no single sign-on");
      if (second) return choosePage(redirectUrl, parts, reader);
      return begin(first.id, { kind: "client", redirectUrl }, parts, reader);
    }),
    pageHandler(redirectToIdP, parts, async ({ params, query: { redirectUrl } }, reader) => {
      if (!parseClientUrl(redirectUrl)) return errorPage(parts.pages, reader, reader.texts.errors.noRedirect);
      if (!parts.singleSignOn.provider(params.idpId)) {
        return errorPage(parts.pages, reader, reader.texts.errors.provider(params.idpId.slice(0, 100)), 404);
      }
      return begin(params.idpId, { kind: "client", redirectUrl }, parts, reader);
    }),
    pageHandler(ssoCallback, parts, async ({ context }, reader) => {
      const { url = "" } = context.incoming;
      return signedIn(url.slice(url.indexOf("?") + 1), context.incoming, parts, reader);
    }),
    pageHandler(ssoChooseName, parts, async ({ body }, reader) => nameChosen(body, parts, reader)),
    pageHandler(ssoConfirmClient, parts, async ({ body }, reader) =>
      parts.completion.confirmed(body.confirmation, reader),
    ),
  ];
}

function choosePage(redirectUrl: string, { pages, singleSignOn }: SsoHandling, reader: Reader): Reply {
  const { language, texts } = reader;
  const query = new URLSearchParams({ redirectUrl }).toString();
  const linkTo = (id: string) => `${redirectPath}/${encodeURIComponent(id)}?${query}`;
  const main = providerLinks(singleSignOn.providers, linkTo, texts);
  return pages.page({ language, title: texts.signIn.chooseProvider, main });
}

/** Sends the browser to a provider. */
async function begin(
  providerId: string,
  purpose: SignOnPurpose,
  parts: SsoHandling,
  reader: Reader,
): Promise<Reply> {
  try {
    return await beginSignOn(parts.singleSignOn, providerId, purpose, parts.ownOrigin);
  } catch (error) {
    if (!(error instanceof SignOnError)) throw error;
    return failed(error, parts.singleSignOn.provider(providerId)?.name ?? "", parts, reader);
  }
}

async function signedIn(
  query: string,
  incoming: Parameters<typeof cookieOf>[0],
  parts: SsoHandling,
  reader: Reader,
): Promise<Reply> {
  const { singleSignOn, accounts, completion, ownOrigin } = parts;
  const cookie = signOnCookie(singleSignOn.keyFor(new URLSearchParams(query).get("state") ?? ""), ownOrigin);
  try {
    const { identity, purpose } = await singleSignOn.finish(query, cookieOf(incoming, cookie.name));
    const provider = singleSignOn.provider(identity.providerId);
    if (!provider) throw new TypeError("a provider is gone that has just signed somebody in");
    const account =
      purpose.kind === "stage"
        ? await accounts.knownAs(identity)
        : await accounts.accountOf(identity, provider);
    if (account) return await completion.completed(account, purpose, reader, [cookie.removed]);
    if (purpose.kind === "stage")
      return errorPage(parts.pages, reader, reader.texts.errors.otherAccount, 403);
    return namePage({ identity, purpose }, "", undefined, parts, reader);
  } catch (error) {
    if (!(error instanceof SignOnError)) throw error;
    return failed(error, "", parts, reader);
  }
}

async function nameChosen(
  { newcomer: sealed, username }: { readonly newcomer: string; readonly username: string },
  parts: SsoHandling,
  reader: Reader,
): Promise<Reply> {
  const newcomer = parts.newcomers.open(sealed);
  if (!newcomer) return errorPage(parts.pages, reader, reader.texts.errors.expired);
  try {
    const account =
      (await parts.accounts.knownAs(newcomer.identity)) ??
      (await parts.accounts.register(newcomer.identity, username.trim()));
    return await parts.completion.completed(account, newcomer.purpose, reader, []);
  } catch (error) {
    const isName =
      error instanceof MatrixError && /USER_IN_USE|INVALID_USERNAME|EXCLUSIVE/.test(error.errcode);
    if (!isName) throw error;
    return namePage(newcomer, username, wordsFor(error, reader.texts), parts, reader);
  }
}

function namePage(
  newcomer: Newcomer,
  username: string,
  error: string | undefined,
  parts: SsoHandling,
  { language, texts }: Reader,
): Reply {
  const { identity, purpose } = newcomer;
  const form = {
    action: chooseNamePath,
    newcomer: parts.newcomers.seal(newcomer),
    providerName: parts.singleSignOn.provider(identity.providerId)?.name ?? "",
    serverName: parts.serverName,
    displayName: identity.displayName,
    username: username || (identity.localpart ?? ""),
    error,
  };
  return parts.pages.page({
    language,
    title: texts.chooseName.title,
    main: chooseNameForm(form, texts),
    status: error === undefined ? 200 : 400,
    formTargets: parts.completion.targetsOf(purpose),
  });
}

/** The log gets to know why; the person what to do. */
function failed(error: SignOnError, name: string, { pages, log }: SsoHandling, reader: Reader): Reply {
  const { errors } = reader.texts;
  if (error.failure === "expired") return errorPage(pages, reader, errors.expired);
  log.warn({ err: error }, "single sign-on failed");
  if (error.failure === "not-allowed") return errorPage(pages, reader, errors.notAllowed(name), 403);
  return errorPage(pages, reader, errors.provider(name), 502);
}
