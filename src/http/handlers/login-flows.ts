import type { Config } from "../../config/schema.ts";

/** A way to log in, as `GET /login` lists it. */
export interface LoginFlow {
  readonly type: string;
  readonly [key: string]: unknown;
}

/**
 * The ways to log in by the legacy API (client-server API, "Legacy login").
 *
 * Where clients shall lead to the pages of this server instead of asking for passwords themselves, those that know about
 * the OAuth 2.0 API are told that single sign-on is preferred ("OAuth 2.0 aware clients").
 */
export function loginFlows({ sso, oauth, application_services: appservices }: Config): LoginFlow[] {
  const leadsToPages = oauth.enabled && oauth.legacy_password_login !== "offered";
  const hasSso = sso.providers.length > 0 || leadsToPages;
  const identityProviders = sso.providers.map(({ id, name, icon, brand }) => ({
    id,
    name,
    ...(icon !== null && { icon }),
    ...(brand !== null && { brand }),
  }));
  const ssoFlow = {
    type: "m.login.sso",
    ...(identityProviders.length > 0 && { identity_providers: identityProviders }),
    ...(leadsToPages && {
      oauth_aware_preferred: true,
      "org.matrix.msc3824.delegated_oidc_compatibility": true,
      delegated_oidc_compatibility: true,
    }),
  };
  return [
    ...(oauth.legacy_password_login === "off" ? [] : [{ type: "m.login.password" }]),
    ...(hasSso ? [ssoFlow] : []),
    { type: "m.login.token", get_login_token: true },
    ...(appservices.length > 0 ? [{ type: "m.login.application_service" }] : []),
  ];
}
