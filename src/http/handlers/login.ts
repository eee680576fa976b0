import { getLoginFlows, login } from "../../api/client/login.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Login } from "../../services/accounts/login.ts";
import type { LoggedIn } from "../../services/accounts/new-session.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import type { Request } from "../request.ts";
import { credentialsJson, sessionWish } from "./sessions.ts";

const flows = [{ type: "m.login.password" }, { type: "m.login.token", get_login_token: true }];

/** Client-server API, "Legacy login". */
export function loginHandlers(logins: Login, publicBaseUrl: string): BoundEndpoint[] {
  const wellKnown = { "m.homeserver": { base_url: publicBaseUrl } };
  return [
    handler(getLoginFlows, async () => ({ flows })),
    handler(login, async (request) => {
      const loggedIn = await logIn(request, logins);
      return {
        user_id: loggedIn.userId,
        device_id: loggedIn.deviceId,
        ...credentialsJson(loggedIn),
        well_known: wellKnown,
      };
    }),
  ];
}

function logIn({ body, context }: Request<typeof login>, logins: Login): Promise<LoggedIn> {
  if (body.type === "m.login.password") {
    if (body.password === undefined) throw new MatrixError("M_MISSING_PARAM", "Missing password");
    return logins.withPassword(body, body.password, context.address, sessionWish(body));
  }
  if (body.type === "m.login.token") {
    if (body.token === undefined) throw new MatrixError("M_MISSING_PARAM", "Missing token");
    return logins.withToken(body.token, sessionWish(body));
  }
  throw new MatrixError("M_UNKNOWN", "This login type is not supported: GET /login lists those that are");
}
