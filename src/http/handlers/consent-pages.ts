import { pathsOf } from "../../api/endpoint.ts";
import { answerConsent, answerDeviceLink, showConsent, showDeviceLink } from "../../api/pages/account.ts";
import type {
  AuthorizationRequest,
  AuthorizationServer,
  DeviceRequest,
} from "../../oauth/authorization-server.ts";
import { formTarget, placeName } from "../../sso/client-url.ts";
import { errorPage, pageHandler, type PageParts, type Reader, readerOf } from "../browser-request.ts";
import { redirect } from "../pages/browser-page.ts";
import { answers, codeForm, consentForm, deviceLinkForm } from "../pages/consent.ts";
import { html } from "../pages/html.ts";
import type { BoundEndpoint } from "../pipeline.ts";
import type { Reply } from "../reply.ts";
import type { RequestContext } from "../request.ts";
import type { BrowserIdentity, BrowserUser } from "./browser-identity.ts";
import { registerPathFor, signInPathFor } from "./next-path.ts";
import { noBrowserSessionCookie } from "../browser-session-cookie.ts";

export interface ConsentPageParts extends PageParts {
  readonly server: AuthorizationServer;
  readonly identity: BrowserIdentity;
  readonly canRegister: boolean;
}

const [linkPath = ""] = pathsOf(showDeviceLink);

/** Pages on which users say whether a client, or a device with a code, may sign in as them. */
export function consentPageHandlers(parts: ConsentPageParts): BoundEndpoint[] {
  return [
    pageHandler(showConsent, parts, ({ context }, reader) =>
      withRequest(parts, context, reader, (request) => consentPage(request, context, parts)),
    ),
    pageHandler(answerConsent, parts, ({ body, context }, reader) =>
      withRequest(parts, context, reader, (request) =>
        consentAnswered(request, body, context, parts, reader),
      ),
    ),
    pageHandler(showDeviceLink, parts, ({ query, context }, reader) =>
      linkPage(query.user_code, context, parts, reader),
    ),
    pageHandler(answerDeviceLink, parts, ({ body, context }, reader) =>
      linkAnswered(body, context, parts, reader),
    ),
  ];
}

/** Goes on with the request of the browser that asks, or says that there is none (any more). */
async function withRequest(
  { server, pages }: ConsentPageParts,
  context: RequestContext,
  reader: Reader,
  goOn: (request: AuthorizationRequest) => Promise<Reply>,
): Promise<Reply> {
  const request = await server.authorizationRequest(context.incoming, context.response);
  return request ? goOn(request) : errorPage(pages, reader, reader.texts.errors.expired);
}

async function consentPage(
  request: AuthorizationRequest,
  context: RequestContext,
  { identity, pages, canRegister }: ConsentPageParts,
): Promise<Reply> {
  const user = await identity.of(context);
  if (!user || (request.wantsSignIn && user.session.createdTs < request.begunTs)) {
    const { wantsAccount, loginHint } = request;
    return redirect(
      wantsAccount && canRegister ? registerPathFor(context.path) : signInPathFor(context.path, loginHint),
    );
  }
  const { language, texts } = readerOf({ context }, request.locales);
  const { client, deviceId, redirectUri } = request;
  const form = {
    action: context.path,
    client,
    deviceId,
    userId: user.account.userId,
    place: placeName(redirectUri),
  };
  return pages.page({
    language,
    title: texts.consent.title(client.name),
    main: consentForm(form, texts),
    formTargets: [formTarget(redirectUri)],
  });
}

async function consentAnswered(
  request: AuthorizationRequest,
  { answer, user: shown }: { readonly answer: string; readonly user?: string },
  context: RequestContext,
  parts: ConsentPageParts,
  reader: Reader,
): Promise<Reply> {
  const { server, identity, ownOrigin, pages } = parts;
  if (answer === answers.other) {
    await identity.end(context);
    return redirect(signInPathFor(context.path), [noBrowserSessionCookie(ownOrigin)]);
  }
  const user = await identity.of(context);
  // Somebody else may have signed in since the page was shown.
  if (answer === answers.allow && (!user || user.account.userId !== shown)) {
    return consentPage(request, context, parts);
  }
  const { incoming, response } = context;
  const target =
    answer === answers.allow && user
      ? await server.allow(incoming, response, user.account.userId)
      : await server.deny(incoming, response);
  return target === undefined ? errorPage(pages, reader, reader.texts.errors.expired) : redirect(target);
}

async function linkPage(
  userCode: string | undefined,
  context: RequestContext,
  { server, identity, pages }: ConsentPageParts,
  { language, texts }: Reader,
): Promise<Reply> {
  const user = await identity.of(context);
  if (!user) return redirect(signInPathFor(pathWithCode(userCode)));
  const request = userCode === undefined ? undefined : await server.deviceRequest(userCode);
  if (!request) {
    const error = userCode === undefined ? undefined : texts.link.unknown;
    const status = error === undefined ? 200 : 404;
    return pages.page({ language, title: texts.link.title, main: codeForm(linkPath, error, texts), status });
  }
  const main = deviceLinkForm(linkFormOf(request, user), texts);
  return pages.page({ language, title: texts.consent.title(request.client.name), main });
}

function linkFormOf({ client, deviceId, userCode, address }: DeviceRequest, { account }: BrowserUser) {
  return { action: linkPath, client, deviceId, userId: account.userId, userCode, address };
}

async function linkAnswered(
  { user_code: userCode, answer, user: shown }: { user_code: string; answer: string; user?: string },
  context: RequestContext,
  parts: ConsentPageParts,
  reader: Reader,
): Promise<Reply> {
  const { server, identity, pages } = parts;
  const { language, texts } = reader;
  const user = await identity.of(context);
  if (!user || user.account.userId !== shown) return linkPage(userCode, context, parts, reader);
  const isAllowed = answer === answers.allow;
  const isDone = isAllowed
    ? await server.allowDevice(userCode, user.account.userId)
    : await server.denyDevice(userCode);
  if (!isDone) return linkPage(userCode, context, parts, reader);
  const main = html`<p role="status">${isAllowed ? texts.link.done : texts.link.denied}</p>`;
  return pages.page({ language, title: texts.link.title, main });
}

function pathWithCode(userCode: string | undefined): string {
  return userCode === undefined
    ? linkPath
    : `${linkPath}?${new URLSearchParams({ user_code: userCode.slice(0, 100) }).toString()}`;
}
