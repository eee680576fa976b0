import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

// The pages on which people sign in and look after their accounts.

const page = { versions: [], access: "public", rateLimit: "default" } as const;
const form = { ...page, method: "POST", rateLimit: "login", bodyFormat: "form" } as const;
/** Where to go on afterwards: a path on this server. */
const next = Type.Optional(Type.String());

export const showSignIn = endpoint({
  ...page,
  operationId: "showSignIn",
  method: "GET",
  path: "/account/sign-in",
  query: Type.Object({ next, login_hint: Type.Optional(Type.String()) }),
});

export const signIn = endpoint({
  ...form,
  operationId: "signIn",
  path: "/account/sign-in",
  body: Type.Object({ username: Type.String(), password: Type.String(), next }),
});

export const signOut = endpoint({
  ...form,
  operationId: "signOut",
  path: "/account/sign-out",
  body: Type.Object({ next }),
});

export const showRegister = endpoint({
  ...page,
  operationId: "showRegister",
  method: "GET",
  path: "/account/register",
  query: Type.Object({ next }),
});

export const registerByPage = endpoint({
  ...form,
  operationId: "registerByPage",
  rateLimit: "registration",
  path: "/account/register",
  body: Type.Object({
    username: Type.String(),
    password: Type.String(),
    token: Type.Optional(Type.String()),
    next,
  }),
});

/** Signs in to these pages by a provider of single sign-on. */
export const signInBySso = endpoint({
  ...page,
  operationId: "signInBySso",
  rateLimit: "authorization",
  method: "GET",
  path: "/account/sso/{idpId}",
  query: Type.Object({ next }),
});

/** Goes on to a client that waits for a login token. */
export const continueToClient = endpoint({
  ...page,
  operationId: "continueToClient",
  method: "GET",
  path: "/account/app",
  query: Type.Object({ redirectUrl: Type.String() }),
});

/** Whether a client may sign in. */
export const showConsent = endpoint({
  ...page,
  operationId: "showConsent",
  method: "GET",
  path: "/account/authorize/{uid}",
});

export const answerConsent = endpoint({
  ...form,
  operationId: "answerConsent",
  rateLimit: "authorization",
  path: "/account/authorize/{uid}",
  body: Type.Object({ answer: Type.String(), user: Type.Optional(Type.String()) }),
});

/** Whether a device that shows a code may sign in. */
export const showDeviceLink = endpoint({
  ...page,
  operationId: "showDeviceLink",
  method: "GET",
  path: "/link",
  // So nobody tries many codes.
  rateLimit: "authorization",
  query: Type.Object({ user_code: Type.Optional(Type.String()) }),
});

export const answerDeviceLink = endpoint({
  ...form,
  operationId: "answerDeviceLink",
  rateLimit: "authorization",
  path: "/link",
  body: Type.Object({ user_code: Type.String(), answer: Type.String(), user: Type.Optional(Type.String()) }),
});

/** Account management (client-server API, "Account management URL parameters"). */
export const showAccount = endpoint({
  ...page,
  operationId: "showAccount",
  method: "GET",
  path: "/account/",
  aliases: ["/account"],
  query: Type.Object({
    action: Type.Optional(Type.String()),
    device_id: Type.Optional(Type.String()),
    login_hint: Type.Optional(Type.String()),
    "org.matrix.msc4198.login_hint": Type.Optional(Type.String()),
  }),
});

export const signOutDevice = endpoint({
  ...form,
  operationId: "signOutDevice",
  path: "/account/device/sign-out",
  body: Type.Object({ device_id: Type.String() }),
});

export const allowCrossSigningReset = endpoint({
  ...form,
  operationId: "allowCrossSigningReset",
  path: "/account/cross-signing-reset",
  body: Type.Object({}),
});

export const deactivateByPage = endpoint({
  ...form,
  operationId: "deactivateByPage",
  path: "/account/deactivate",
  body: Type.Object({ erase: Type.Optional(Type.String()) }),
});
