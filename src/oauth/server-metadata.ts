import { deviceCodeGrant } from "./client-metadata.ts";
import { oauthPaths } from "./paths.ts";
import { apiScopes } from "./scopes.ts";

/** What people can do on the account pages (client-server API, "Account management URL actions"). */
export const accountActions = [
  "org.matrix.devices_list",
  "org.matrix.device_view",
  "org.matrix.device_delete",
  "org.matrix.account_deactivate",
  "org.matrix.cross_signing_reset",
] as const;

/** The names that two of the actions had before (MSC4191), for clients of that time. */
export const accountActionAliases: Readonly<Record<string, (typeof accountActions)[number]>> = {
  "org.matrix.sessions_list": "org.matrix.devices_list",
  "org.matrix.session_view": "org.matrix.device_view",
  "org.matrix.session_end": "org.matrix.device_delete",
};

/**
 * The metadata of the OAuth 2.0 server (RFC 8414; client-server API, "Server metadata discovery").
 * @param baseUrl the server's public base URL
 * @param canRegister whether people can make accounts on its pages
 */
export function serverMetadata(baseUrl: string, canRegister: boolean) {
  const at = (path: string) => baseUrl + path;
  return {
    issuer: `${baseUrl}/`,
    authorization_endpoint: at(oauthPaths.authorization),
    token_endpoint: at(oauthPaths.token),
    registration_endpoint: at(oauthPaths.registration),
    revocation_endpoint: at(oauthPaths.revocation),
    device_authorization_endpoint: at(oauthPaths.deviceAuthorization),
    jwks_uri: at(oauthPaths.keys),
    scopes_supported: ["openid", ...apiScopes],
    response_types_supported: ["code"],
    response_modes_supported: ["query", "fragment"],
    grant_types_supported: ["authorization_code", "refresh_token", deviceCodeGrant],
    code_challenge_methods_supported: ["S256"],
    token_endpoint_auth_methods_supported: ["none"],
    revocation_endpoint_auth_methods_supported: ["none"],
    ...(canRegister && { prompt_values_supported: ["create"] }),
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
    ui_locales_supported: ["en", "zh"],
    authorization_response_iss_parameter_supported: true,
    account_management_uri: at(oauthPaths.account),
    account_management_actions_supported: [...accountActions],
  };
}
