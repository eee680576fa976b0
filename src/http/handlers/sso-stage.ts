import type { InteractiveAuth } from "../../auth/interactive.ts";
import { SignOnError } from "../../sso/errors.ts";
import type { SingleSignOn } from "../../sso/single-sign-on.ts";
import type { Logger } from "../../telemetry/log.ts";
import { errorPage, type PageParts, readerOf } from "../browser-request.ts";
import { html } from "../pages/html.ts";
import { providerLinks } from "../pages/sso.ts";
import type { Reply } from "../reply.ts";
import type { RequestContext } from "../request.ts";
import { beginSignOn } from "./sso-cookies.ts";

export interface StagePageParts extends PageParts {
  readonly singleSignOn: SingleSignOn;
  readonly interactive: InteractiveAuth;
  readonly log: Logger;
}

export interface StageQuery {
  readonly session?: string;
  /** Which provider to go to; without it the page asks. */
  readonly provider?: string;
}

export type StagePage = (query: StageQuery, context: RequestContext) => Promise<Reply>;

/** The page of the stage `m.login.sso` (client-server API, "SSO during User-Interactive Authentication"). */
export function ssoStagePage(parts: StagePageParts): StagePage {
  const { pages, singleSignOn, interactive, ownOrigin, log } = parts;
  return async ({ session = "", provider }, context) => {
    const reader = readerOf({ context });
    const { language, texts } = reader;
    if (!interactive.ownerOf(session)) return errorPage(pages, reader, texts.errors.expired);
    if (provider !== undefined && singleSignOn.provider(provider)) {
      try {
        return await beginSignOn(singleSignOn, provider, { kind: "stage", session }, ownOrigin);
      } catch (error) {
        if (!(error instanceof SignOnError)) throw error;
        log.warn({ err: error }, "single sign-on failed");
        return errorPage(pages, reader, texts.errors.provider(provider), 502);
      }
    }
    const linkTo = (id: string) => `?${new URLSearchParams({ session, provider: id }).toString()}`;
    const links = providerLinks(singleSignOn.providers, linkTo, texts);
    const main = html`<p>${texts.stage.explanation}</p>\n${links}`;
    return pages.page({ language, title: texts.stage.title, main });
  };
}
