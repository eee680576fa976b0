import { pathsOf } from "../../api/endpoint.ts";
import { registerByPage, showRegister } from "../../api/pages/account.ts";
import type { BrowserSessions } from "../../auth/browser-sessions.ts";
import type { RegistrationTokenStage } from "../../auth/stages.ts";
import type { Config } from "../../config/schema.ts";
import { localpart } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { AppserviceRegistry } from "../../appservices/registry.ts";
import type { Registration } from "../../services/accounts/registration.ts";
import type { AccountStore } from "../../storage/accounts.ts";
import { errorPage, pageHandler, type PageParts, type Reader, wordsFor } from "../browser-request.ts";
import { browserSessionCookie } from "../browser-session-cookie.ts";
import { redirect } from "../pages/browser-page.ts";
import { type Policy, registerForm } from "../pages/sign-in.ts";
import type { BoundEndpoint } from "../pipeline.ts";
import type { Reply } from "../reply.ts";
import { nextPath, signInPathFor } from "./next-path.ts";

export interface RegisterPageParts extends PageParts {
  readonly registration: Registration;
  readonly accounts: AccountStore;
  readonly appservices: AppserviceRegistry;
  readonly tokenStage: RegistrationTokenStage;
  readonly browserSessions: BrowserSessions;
  readonly serverName: string;
  readonly policy: Config["registration"];
}

const [registerPath = ""] = pathsOf(showRegister);

/** Whether people can make accounts on a page: where an address has to be proved first, they do so in a client. */
export function canRegisterByPage({ mode, email, phone }: Config["registration"]): boolean {
  return mode !== "closed" && email !== "required" && phone !== "required";
}

/** The page on which people make accounts. */
export function registerPageHandlers(parts: RegisterPageParts): BoundEndpoint[] {
  const { policy, pages } = parts;
  const closed = (reader: Reader) => errorPage(pages, reader, reader.texts.register.closed, 403);
  return [
    pageHandler(showRegister, parts, async ({ query }, reader) =>
      canRegisterByPage(policy)
        ? registerPage(nextPath(query.next), "", undefined, parts, reader)
        : closed(reader),
    ),
    pageHandler(registerByPage, parts, async ({ body }, reader) => {
      if (!canRegisterByPage(policy)) return closed(reader);
      const next = nextPath(body.next);
      try {
        const userNid = await makeAccount(body, parts);
        const secret = await parts.browserSessions.start(userNid);
        return redirect(next, [browserSessionCookie(secret, parts.ownOrigin)]);
      } catch (error) {
        if (!(error instanceof MatrixError)) throw error;
        const isToken = error.errcode === "M_FORBIDDEN";
        const words = isToken ? reader.texts.errors.badToken : wordsFor(error, reader.texts);
        return registerPage(next, body.username, words, parts, reader);
      }
    }),
  ];
}

async function makeAccount(
  { username, password, token, ...fields }: { username: string; password: string; token?: string },
  { registration, accounts, appservices, tokenStage, policy }: RegisterPageParts,
): Promise<number> {
  if (!policy.terms.every(({ id }) => Object.hasOwn(fields, acceptField(id)))) {
    throw new MatrixError("M_MISSING_PARAM", "The policies have to be accepted");
  }
  const userId = registration.userIdFor(username.trim());
  appservices.checkNewUser(userId, undefined);
  await registration.checkAvailable(userId);
  if (policy.mode === "token" && !(await tokenStage.isValid(token ?? ""))) {
    throw new MatrixError("M_FORBIDDEN", "This registration token is not valid (any more)");
  }
  await registration.register({
    userId,
    password,
    displayName: localpart(userId),
    registrationToken: policy.mode === "token" ? token : undefined,
    acceptedPolicies: policy.terms,
  });
  const account = await accounts.find(userId);
  if (!account) throw new TypeError("an account is gone that has just been made");
  return account.userNid;
}

function registerPage(
  next: string,
  username: string,
  error: string | undefined,
  { pages, serverName, policy }: RegisterPageParts,
  { language, texts }: Reader,
): Reply {
  const form = {
    action: registerPath,
    next,
    username,
    serverName,
    needsToken: policy.mode === "token",
    policies: policiesFor(policy, language),
    signInPath: signInPathFor(next),
    error,
  };
  const status = error === undefined ? 200 : 400;
  return pages.page({ language, title: texts.register.title, main: registerForm(form, texts), status });
}

function policiesFor({ terms }: Config["registration"], language: string): Policy[] {
  return terms.flatMap(({ id, translations }) => {
    const best =
      translations.find((translation) => translation.language.startsWith(language)) ?? translations[0];
    return best ? [{ ...best, field: acceptField(id) }] : [];
  });
}

function acceptField(policyId: string): string {
  return `accept-${policyId}`;
}
