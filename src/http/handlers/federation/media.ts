import { getContent, getContentThumbnail } from "../../../api/federation/media.ts";
import type { ServerName } from "../../../protocol/identifiers.ts";
import type { MediaLibrary } from "../../../services/media/media-library.ts";
import type { Thumbnails } from "../../../services/media/thumbnails.ts";
import type { RandomBytes } from "../../../telemetry/random.ts";
import { ConcurrencyLimit } from "../../concurrency-limit.ts";
import type { ReadPart, ServedFile } from "../../file-reply.ts";
import { multipartReply } from "../../multipart-reply.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import type { RequestContext } from "../../request.ts";
import { patienceOf, readerOf, thumbnailFile } from "../media-downloads.ts";

/** A slow server has up to a mebibyte of memory, or an open file, for each. */
const maxDownloadsAtOnce = 200;
const boundaryBytes = 24;

export interface FederationMediaParts {
  readonly library: MediaLibrary;
  readonly thumbnails: Thumbnails;
  readonly randomBytes: RandomBytes;
}

/** This server's files for other servers (server-server API, "Content Repository"). */
export function federationMediaHandlers(parts: FederationMediaParts): BoundEndpoint[] {
  const { library, thumbnails, randomBytes } = parts;
  const limit = new ConcurrencyLimit(maxDownloadsAtOnce);

  function find(mediaId: string, timeoutMs: number | undefined, server: ServerName, context: RequestContext) {
    context.whenEnded(limit.enter(server));
    return library.findOwn(mediaId, patienceOf(timeoutMs, context));
  }

  function reply(file: ServedFile, read: ReadPart, context: RequestContext) {
    return multipartReply(file, read, randomBytes(boundaryBytes).toString("hex"), context);
  }

  return [
    handler(getContent, async ({ params, query, requester, context }) => {
      const file = await find(params.mediaId, query.timeout_ms, requester.serverName, context);
      return reply(file, (range) => library.read(file, range), context);
    }),
    handler(getContentThumbnail, async ({ params, query, requester, context }) => {
      const { width, height, method = "scale", animated = false } = query;
      const file = await find(params.mediaId, query.timeout_ms, requester.serverName, context);
      const made = await thumbnails.find(file, { width, height, method, animated });
      return reply(thumbnailFile(made), readerOf(made, library), context);
    }),
  ];
}
