/** Where the OAuth 2.0 API and its pages are served. */
export const oauthPaths = {
  authorization: "/oauth2/authorize",
  token: "/oauth2/token",
  registration: "/oauth2/register",
  revocation: "/oauth2/revoke",
  deviceAuthorization: "/oauth2/device",
  keys: "/oauth2/keys.json",
  /** Where a user enters the code of a device: short, since people type it. */
  link: "/link",
  account: "/account/",
  /** Where a user is asked whether a client may sign in. */
  authorizePage: "/account/authorize/{uid}",
} as const;
