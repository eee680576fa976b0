import type { Config } from "../config/schema.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { Stores } from "../storage/database.ts";
import type { Flows, IdentityFlows } from "./interactive.ts";
import { oauthStageTypes } from "./oauth-stage.ts";

/**
 * Clients of the OAuth 2.0 API do not get to see passwords: what needs one is done on the account pages ("OAuth 2.0 API").
 * @throws MatrixError M_UNRECOGNIZED for everything but the replacement of keys.
 */
function flowsOfOAuth(act: "ordinary" | "key-reset"): Flows {
  if (act === "key-reset") return oauthStageTypes.map((type) => [type]);
  throw new MatrixError(
    "M_UNRECOGNIZED",
    "A session of the OAuth 2.0 API cannot do this: send the user to the account_management_uri of GET /auth_metadata",
  );
}

/** How users prove who they are: by their password, or by a provider of single sign-on that has signed them in before. */
export function identityFlows(
  { accounts, externalIds, oauthSessions }: Pick<Stores, "accounts" | "externalIds" | "oauthSessions">,
  { sso }: Pick<Config, "sso">,
): IdentityFlows {
  const providers = new Set(sso.providers.map(({ id }) => id));
  return async ({ userNid, deviceId }, act) => {
    if ((await oauthSessions.clientOf(userNid, deviceId)) !== undefined) return flowsOfOAuth(act);
    if (providers.size === 0) return [["m.login.password"]];
    const account = await accounts.findByNid(userNid);
    const known = await externalIds.list(userNid);
    const bySso = known.some(({ providerId }) => providers.has(providerId));
    if (!bySso) return [["m.login.password"]];
    return account?.passwordHash === null ? [["m.login.sso"]] : [["m.login.password"], ["m.login.sso"]];
  };
}
