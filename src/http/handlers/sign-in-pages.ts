import { pathsOf } from "../../api/endpoint.ts";
import { continueToClient, showSignIn, signIn, signInBySso, signOut } from "../../api/pages/account.ts";
import type { BrowserSessions } from "../../auth/browser-sessions.ts";
import { isUserId, localpart } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Login } from "../../services/accounts/login.ts";
import { parseClientUrl } from "../../sso/client-url.ts";
import { SignOnError } from "../../sso/errors.ts";
import type { SingleSignOn } from "../../sso/single-sign-on.ts";
import type { Logger } from "../../telemetry/log.ts";
import { errorPage, pageHandler, type PageParts, type Reader, wordsFor } from "../browser-request.ts";
import { browserSessionCookie, noBrowserSessionCookie } from "../browser-session-cookie.ts";
import { redirect } from "../pages/browser-page.ts";
import { signInForm } from "../pages/sign-in.ts";
import type { BoundEndpoint } from "../pipeline.ts";
import type { Reply } from "../reply.ts";
import type { BrowserIdentity } from "./browser-identity.ts";
import { nextPath, registerPathFor, signInPathFor } from "./next-path.ts";
import { beginSignOn } from "./sso-cookies.ts";
import type { SignOnCompletion } from "./sso-completion.ts";

export interface SignInPageParts extends PageParts {
  readonly logins: Login;
  readonly browserSessions: BrowserSessions;
  readonly identity: BrowserIdentity;
  readonly singleSignOn: SingleSignOn;
  readonly completion: SignOnCompletion;
  /** Whether people can make accounts on a page. */
  readonly canRegister: boolean;
  readonly log: Logger;
}

const [signInPath = ""] = pathsOf(showSignIn);
const [ssoPath = ""] = pathsOf(signInBySso);
const [continuePath = ""] = pathsOf(continueToClient);

/** Pages to sign in to this server in a browser: by password, or by a provider of single sign-on. */
export function signInPageHandlers(parts: SignInPageParts): BoundEndpoint[] {
  const { logins, browserSessions, identity, ownOrigin, singleSignOn, completion, pages } = parts;
  return [
    pageHandler(showSignIn, parts, async ({ query }, reader) =>
      signInPage(nextPath(query.next), hintedName(query.login_hint), undefined, parts, reader),
    ),
    pageHandler(signIn, parts, async ({ body, context }, reader) => {
      const next = nextPath(body.next);
      try {
        const account = await logins.checkPassword(body.username.trim(), body.password, context.address);
        await identity.end(context);
        const secret = await browserSessions.start(account.userNid);
        return redirect(next, [browserSessionCookie(secret, ownOrigin)]);
      } catch (error) {
        if (!(error instanceof MatrixError)) throw error;
        const isWrong = error.errcode === "M_FORBIDDEN" || error.errcode === "M_INVALID_PARAM";
        const words = isWrong ? reader.texts.errors.wrongPassword : wordsFor(error, reader.texts);
        return signInPage(next, body.username, words, parts, reader);
      }
    }),
    pageHandler(signOut, parts, async ({ body, context }) => {
      await identity.end(context);
      return redirect(signInPathFor(nextPath(body.next)), [noBrowserSessionCookie(ownOrigin)]);
    }),
    pageHandler(signInBySso, parts, async ({ params, query }, reader) => {
      const provider = singleSignOn.provider(params.idpId);
      if (!provider) return errorPage(pages, reader, reader.texts.errors.provider(params.idpId), 404);
      try {
        const purpose = { kind: "page", path: nextPath(query.next) } as const;
        return await beginSignOn(singleSignOn, provider.id, purpose, ownOrigin);
      } catch (error) {
        if (!(error instanceof SignOnError)) throw error;
        parts.log.warn({ err: error }, "single sign-on failed");
        return errorPage(pages, reader, reader.texts.errors.provider(provider.name), 502);
      }
    }),
    pageHandler(continueToClient, parts, async ({ query: { redirectUrl }, context }, reader) => {
      const url = parseClientUrl(redirectUrl);
      if (!url) return errorPage(pages, reader, reader.texts.errors.noRedirect);
      const user = await identity.of(context);
      if (!user) return redirect(signInPathFor(continuePathFor(redirectUrl)));
      return completion.askBeforeClient(user.account, url, reader, []);
    }),
  ];
}

/** Where somebody signs in who waits for a client of the legacy API. */
export function clientSignInPath(redirectUrl: string, wantsAccount: boolean): string {
  const next = continuePathFor(redirectUrl);
  return wantsAccount ? registerPathFor(next) : next;
}

function continuePathFor(redirectUrl: string): string {
  return `${continuePath}?${new URLSearchParams({ redirectUrl }).toString()}`;
}

function signInPage(
  next: string,
  username: string,
  error: string | undefined,
  { pages, singleSignOn, canRegister }: SignInPageParts,
  { language, texts }: Reader,
): Reply {
  const query = new URLSearchParams({ next }).toString();
  const form = {
    action: signInPath,
    next,
    username,
    error,
    providers: singleSignOn.providers,
    providerLink: (id: string) => `${ssoPath.replace("{idpId}", encodeURIComponent(id))}?${query}`,
    registerPath: canRegister ? registerPathFor(next) : undefined,
  };
  const status = error === undefined ? 200 : 403;
  return pages.page({ language, title: texts.signIn.title, main: signInForm(form, texts), status });
}

/** The username that a client expects: `mxid:` and a user ID (MSC4198), or a user ID or name. */
function hintedName(hint: string | undefined): string {
  const name = (hint ?? "").replace(/^mxid:/, "").slice(0, 255);
  return isUserId(name) ? localpart(name) : name;
}
