import { pathsOf } from "../../api/endpoint.ts";
import { ssoConfirmClient } from "../../api/pages/sso.ts";
import type { BrowserSessions } from "../../auth/browser-sessions.ts";
import type { InteractiveAuth } from "../../auth/interactive.ts";
import type { Sealer } from "../../auth/sealer.ts";
import type { Sessions } from "../../services/accounts/sessions.ts";
import type { Account } from "../../storage/accounts.ts";
import { formTarget, isTrusted, parseClientUrl, placeName, withLoginToken } from "../../sso/client-url.ts";
import type { SignOnPurpose } from "../../sso/single-sign-on.ts";
import { browserSessionCookie } from "../browser-session-cookie.ts";
import { errorPage, type PageParts, type Reader } from "../browser-request.ts";
import { html } from "../pages/html.ts";
import { redirect } from "../pages/browser-page.ts";
import { confirmClientForm, stageDoneScript } from "../pages/sso.ts";
import type { Reply } from "../reply.ts";

export interface CompletionParts extends PageParts {
  readonly sessions: Sessions;
  readonly interactive: InteractiveAuth;
  readonly browserSessions: BrowserSessions;
  readonly sealer: Sealer;
  /** Addresses of clients to which people go back without being asked. */
  readonly trustedClients: readonly string[];
}

export const ssoStageType = "m.login.sso";
const sealPurpose = "confirmed client";
const confirmationLifetimeMs = 10 * 60 * 1000;
const [confirmPath = ""] = pathsOf(ssoConfirmClient);

/** Goes on with what somebody has signed in for. */
export class SignOnCompletion {
  readonly #parts: CompletionParts;

  constructor(parts: CompletionParts) {
    this.#parts = parts;
  }

  /**
   * @param cookies to be sent along
   * @throws MatrixError M_NOT_FOUND, M_FORBIDDEN for a stage that cannot be done (any more).
   */
  async completed(
    account: Account,
    purpose: SignOnPurpose,
    reader: Reader,
    cookies: readonly string[],
  ): Promise<Reply> {
    if (purpose.kind === "client") return this.#toClient(account, purpose.redirectUrl, reader, cookies);
    if (purpose.kind === "stage") return this.#stageDone(account, purpose.session, reader, cookies);
    const secret = await this.#parts.browserSessions.start(account.userNid);
    return redirect(purpose.path, [...cookies, browserSessionCookie(secret, this.#parts.ownOrigin)]);
  }

  /** Where forms may lead that end with `completed`, or with a confirmation. */
  targetsOf(purpose: SignOnPurpose): string[] {
    const url = purpose.kind === "client" ? parseClientUrl(purpose.redirectUrl) : undefined;
    return url ? [formTarget(url)] : [];
  }

  /** Asks whether somebody means to go on to a client. */
  askBeforeClient(
    account: Account,
    url: URL,
    { language, texts }: Reader,
    cookies: readonly string[],
  ): Reply {
    const { sealer, pages } = this.#parts;
    const { userNid, userId } = account;
    const content = { userNid, redirectUrl: url.href };
    const confirmation = sealer.seal(sealPurpose, content, confirmationLifetimeMs);
    const form = { action: confirmPath, confirmation, place: placeName(url), userId };
    return pages.page({
      language,
      title: texts.confirmClient.title,
      main: confirmClientForm(form, texts),
      formTargets: [formTarget(url)],
      ...(cookies.length > 0 && { headers: { "Set-Cookie": [...cookies] } }),
    });
  }

  /** Somebody has agreed to go on to a client. */
  async confirmed(confirmation: string, reader: Reader): Promise<Reply> {
    const { userNid, redirectUrl } = this.#parts.sealer.open(sealPurpose, confirmation) ?? {};
    const url = typeof redirectUrl === "string" ? parseClientUrl(redirectUrl) : undefined;
    if (!url || typeof userNid !== "number") {
      return errorPage(this.#parts.pages, reader, reader.texts.errors.expired);
    }
    return this.#withToken(userNid, url, []);
  }

  async #toClient(
    account: Account,
    redirectUrl: string,
    reader: Reader,
    cookies: readonly string[],
  ): Promise<Reply> {
    const { trustedClients, ownOrigin, pages } = this.#parts;
    const url = parseClientUrl(redirectUrl);
    if (!url) return errorPage(pages, reader, reader.texts.errors.noRedirect);
    const own = `${ownOrigin}/_matrix/static/client/login`;
    if (isTrusted(url, [own, ...trustedClients])) return this.#withToken(account.userNid, url, cookies);
    return this.askBeforeClient(account, url, reader, cookies);
  }

  async #withToken(userNid: number, url: URL, cookies: readonly string[]): Promise<Reply> {
    const token = await this.#parts.sessions.createSignOnToken(userNid);
    return redirect(withLoginToken(url, token), cookies);
  }

  #stageDone(account: Account, session: string, reader: Reader, cookies: readonly string[]): Reply {
    const { interactive, pages } = this.#parts;
    const { language, texts } = reader;
    const owner = interactive.ownerOf(session);
    if (owner && owner.userNid !== account.userNid) {
      return errorPage(pages, reader, texts.errors.otherAccount, 403);
    }
    interactive.completeStage(session, ssoStageType);
    return pages.page({
      language,
      title: texts.stage.title,
      main: html`<p>${texts.stage.done}</p>`,
      script: stageDoneScript,
      headers: { "Set-Cookie": [...cookies] },
    });
  }
}
