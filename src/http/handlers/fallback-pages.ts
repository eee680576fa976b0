import { completeAuthFallback, getAuthFallback, getLoginFallback } from "../../api/client/fallback-pages.ts";
import type { InteractiveAuth } from "../../auth/interactive.ts";
import type { Policies } from "../../auth/terms-stage.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { authFallbackPage } from "../pages/auth-fallback.ts";
import { contactStagePage, isContactStage } from "../pages/contact-stage.ts";
import { type LoginFallbackContent, loginFallbackPage } from "../pages/login-fallback.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { ssoStageType } from "./sso-completion.ts";
import type { StagePage } from "./sso-stage.ts";

export interface FallbackPageParts extends LoginFallbackContent {
  /** The page of the stage that is done at a provider of single sign-on. */
  readonly stage: StagePage;
  /** What people accept when they register. */
  readonly policies: Policies;
}

/** Pages for clients that cannot do it themselves (client-server API, "Fallback" and "Login Fallback"). */
export function fallbackPageHandlers(
  interactive: InteractiveAuth,
  parts: FallbackPageParts,
): BoundEndpoint[] {
  return [
    handler(getAuthFallback, async ({ params, query, context }) => {
      if (params.authType === ssoStageType) return parts.stage(query, context);
      const acceptLanguage = context.incoming.headers["accept-language"];
      if (isContactStage(params.authType)) {
        const path = requestPathOf(interactive, query.session);
        return contactStagePage(params.authType, path, acceptLanguage);
      }
      const found = authFallbackPage(params.authType, parts.policies, acceptLanguage);
      if (found) return found;
      throw new MatrixError("M_NOT_FOUND", "There is no page for this authentication type");
    }),
    handler(completeAuthFallback, async ({ params, body: { session, ...auth }, context }) => {
      await interactive.passStage(session, { ...auth, type: params.authType }, context);
      return {};
    }),
    handler(getLoginFallback, async () => loginFallbackPage(parts)),
  ];
}

/** What addresses can be proved for without being signed in, by the path of the request. */
const provableFor = ["/register", "/account/password"];

/** @throws MatrixError M_NOT_FOUND when there is nothing for which an address could be proved */
function requestPathOf(interactive: InteractiveAuth, session: string | undefined): string {
  const path = session === undefined ? undefined : interactive.pathOf(session);
  const found = provableFor.find((ending) => path?.endsWith(ending));
  if (found !== undefined) return `/_matrix/client/v3${found}`;
  throw new MatrixError("M_NOT_FOUND", "This has taken too long: start over in your client");
}
