import { getUrlPreview, getUrlPreviewAuthed } from "../../api/client/media.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { UrlPreviews } from "../../services/previews/url-previews.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { JsonChunks } from "../reply.ts";
import type { RequestContext } from "../request.ts";

interface Asked {
  readonly query: { readonly url: string; readonly ts?: number };
  readonly context: RequestContext;
}

/**
 * Client-server API, "Content repository".
 * @param previews `undefined` when the configuration has them off: "the endpoint SHOULD reject with a 403 M_FORBIDDEN"
 *   (MSC4452)
 */
export function urlPreviewHandlers(previews: UrlPreviews | undefined): BoundEndpoint[] {
  const preview = async ({ query, context }: Asked): Promise<JsonChunks> => {
    if (!previews) throw new MatrixError("M_FORBIDDEN", "This server shows no previews of links");
    const language = preferredLanguage(context.incoming.headers["accept-language"]);
    return new JsonChunks([await previews.preview({ url: query.url, ts: query.ts, language })]);
  };
  return [handler(getUrlPreviewAuthed, preview), handler(getUrlPreview, preview)];
}

/** The first language of an `Accept-Language` header: one, so that a page is not fetched for each order of them. */
function preferredLanguage(header: string | undefined): string {
  const [, language] = /^\s*([a-z]{2,3}(-[a-z0-9]{2,8}){0,2})\s*(,|;|$)/i.exec(header ?? "") ?? [];
  return language?.toLowerCase() ?? "en";
}
