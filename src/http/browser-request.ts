import { MatrixError } from "../protocol/matrix-error.ts";
import type { EndpointDeclaration } from "../api/endpoint.ts";
import type { BrowserPages } from "./pages/browser-page.ts";
import { replyOfError } from "./errors.ts";
import { errorNote } from "./pages/sso.ts";
import { type Language, languageOf, type Texts, textsOf } from "./pages/texts/texts.ts";
import { type BoundEndpoint, handler } from "./pipeline.ts";
import type { Reply } from "./reply.ts";
import type { Request, RequestContext } from "./request.ts";
import { refuseOtherSites } from "./same-origin.ts";

/** What every page is made with. */
export interface PageParts {
  readonly pages: BrowserPages;
  /** Such as `https://matrix.example.org`. */
  readonly ownOrigin: string;
}

/** The words for a reader. */
export interface Reader {
  readonly language: Language;
  readonly texts: Texts;
}

export function readerOf(
  { context }: { readonly context: Pick<RequestContext, "incoming"> },
  asked?: string,
): Reader {
  const language = languageOf(context.incoming.headers["accept-language"], asked);
  return { language, texts: textsOf(language) };
}

/** Binds an endpoint that people see: a form has to come from this server, and what fails is shown on a page. */
export function pageHandler<E extends EndpointDeclaration>(
  declaration: E,
  { pages, ownOrigin }: PageParts,
  handle: (request: Request<E>, reader: Reader) => Promise<Reply>,
): BoundEndpoint {
  return handler(declaration, async (request) => {
    const reader = readerOf(request);
    try {
      if (declaration.method !== "GET") refuseOtherSites(request.context.incoming, ownOrigin);
      return await handle(request, reader);
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      return errorPage(pages, reader, wordsFor(error, reader.texts), replyOfError(error)?.status);
    }
  });
}

export function errorPage(
  pages: BrowserPages,
  { language, texts }: Reader,
  text: string,
  status = 400,
): Reply {
  return pages.page({ language, status, title: texts.errors.title, main: errorNote(text) });
}

/** What people are told of a failure. */
export function wordsFor({ errcode, message }: MatrixError, { errors }: Texts): string {
  const words: Partial<Record<string, string>> = {
    M_LIMIT_EXCEEDED: errors.tooMany,
    M_USER_IN_USE: errors.taken,
    M_EXCLUSIVE: errors.taken,
    M_INVALID_USERNAME: errors.badUsername,
    M_WEAK_PASSWORD: errors.weakPassword(message),
    M_USER_LOCKED: errors.locked,
    M_USER_DEACTIVATED: errors.deactivated,
    M_NOT_FOUND: errors.expired,
  };
  return words[errcode] ?? message;
}
