import {
  generateLoginToken,
  getLoginFlows,
  login,
  logout,
  logoutAll,
  refresh,
} from "../../api/client/login.ts";
import type { InteractiveAuth } from "../../auth/interactive.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { type AppserviceAccounts, requireAppservice } from "../../services/accounts/appservice-accounts.ts";
import type { Login } from "../../services/accounts/login.ts";
import type { LoggedIn } from "../../services/accounts/new-session.ts";
import type { Sessions } from "../../services/accounts/sessions.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import type { Request } from "../request.ts";
import type { LoginFlow } from "./login-flows.ts";
import { credentialsJson, loggedInJson, sessionWish } from "./sessions.ts";

export interface LoginHandling {
  readonly appserviceAccounts: AppserviceAccounts;
  readonly logins: Login;
  readonly sessions: Sessions;
  readonly interactive: InteractiveAuth;
  readonly serverName: ServerName;
  readonly publicBaseUrl: string;
  /** What `GET /login` lists. */
  readonly flows: readonly LoginFlow[];
}

/** Client-server API, "Legacy login" and "Refreshing access tokens". */
export function loginHandlers(parts: LoginHandling): BoundEndpoint[] {
  const { sessions, interactive, serverName, publicBaseUrl, flows } = parts;
  const offered = new Set(flows.map(({ type }) => type));
  const wellKnown = { "m.homeserver": { base_url: publicBaseUrl } };
  return [
    handler(getLoginFlows, async () => ({ flows })),
    handler(login, async (request) => {
      if (!offered.has(request.body.type)) {
        throw new MatrixError(
          "M_UNKNOWN",
          "This login type is not supported: GET /login lists those that are",
        );
      }
      const loggedIn = await logIn(request, parts);
      return { ...loggedInJson(loggedIn, serverName), well_known: wellKnown };
    }),
    handler(generateLoginToken, async (request) => {
      await interactive.confirmIdentity(request);
      const { token, expiresInMs } = await sessions.createLoginToken(request.requester);
      return { login_token: token, expires_in_ms: expiresInMs };
    }),
    handler(refresh, async ({ body }) => credentialsJson(await sessions.refresh(body.refresh_token))),
    handler(logout, async ({ requester }) => {
      await sessions.logOut(requester);
      return {};
    }),
    handler(logoutAll, async ({ requester }) => {
      await sessions.logOutEverywhere(requester);
      return {};
    }),
  ];
}

function logIn(
  { body, context, requester }: Request<typeof login>,
  { logins, appserviceAccounts }: LoginHandling,
): Promise<LoggedIn> {
  if (body.type === "m.login.password") {
    if (body.password === undefined) throw new MatrixError("M_MISSING_PARAM", "Missing password");
    return logins.withPassword(body, body.password, context.address, sessionWish(body));
  }
  if (body.type === "m.login.token") {
    if (body.token === undefined) throw new MatrixError("M_MISSING_PARAM", "Missing token");
    return logins.withToken(body.token, sessionWish(body));
  }
  if (body.type === "m.login.application_service") {
    const appserviceId = requireAppservice(requester?.appserviceId, context.hasToken);
    return appserviceAccounts.logIn(appserviceId, body, sessionWish(body));
  }
  throw new MatrixError("M_UNKNOWN", "This login type is not supported: GET /login lists those that are");
}
