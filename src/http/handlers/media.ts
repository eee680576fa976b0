import type { IncomingMessage } from "node:http";
import {
  createContent,
  getConfig,
  getConfigAuthed,
  getContentAuthed,
  getContentOverrideNameAuthed,
  getContentThumbnailAuthed,
  uploadContent,
  uploadContentToMXC,
} from "../../api/client/media.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { MediaLibrary, Patience } from "../../services/media/media-library.ts";
import type { Thumbnails } from "../../services/media/thumbnails.ts";
import type { IncomingFile, Uploads } from "../../services/media/uploads.ts";
import { requestedRange } from "../byte-range.ts";
import { contentDisposition } from "../content-disposition.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { Reply } from "../reply.ts";
import type { RequestContext } from "../request.ts";

/** A connection on which nothing moves for this long is closed, whichever side is to blame. */
const stallTimeoutMs = 60_000;
const defaultWaitMs = 20_000;

/** Client-server API, "Content repository". */
export function mediaHandlers(
  uploads: Uploads,
  library: MediaLibrary,
  thumbnails: Thumbnails,
): BoundEndpoint[] {
  const config = { "m.upload.size": uploads.maxUploadBytes };
  return [
    handler(getConfig, async () => config),
    handler(getConfigAuthed, async () => config),
    ...uploadHandlers(uploads),
    handler(getContentAuthed, async ({ params, query, context }) => {
      const file = await library.find(params.serverName, params.mediaId, patience(query.timeout_ms, context));
      return fileReply(file, library, context);
    }),
    handler(getContentOverrideNameAuthed, async ({ params, query, context }) => {
      const file = await library.find(params.serverName, params.mediaId, patience(query.timeout_ms, context));
      return fileReply({ ...file, filename: params.fileName }, library, context);
    }),
    handler(getContentThumbnailAuthed, async ({ params, query, context }) => {
      const { width, height, method = "scale", animated = false } = query;
      const file = await library.find(params.serverName, params.mediaId, patience(query.timeout_ms, context));
      const thumbnail = await thumbnails.find(file, { width, height, method, animated });
      const extension = thumbnail.contentType.slice("image/".length);
      return fileReply({ ...thumbnail, filename: `thumbnail.${extension}` }, library, context);
    }),
  ];
}

function uploadHandlers(uploads: Uploads): BoundEndpoint[] {
  return [
    handler(createContent, async ({ requester }) => {
      const { contentUri, expiresTs } = await uploads.reserve(requester.userNid);
      return { content_uri: contentUri, unused_expires_at: expiresTs };
    }),
    handler(uploadContent, async ({ query, requester, context }) => {
      const file = incomingFile(context, query.filename);
      return { content_uri: await uploads.upload(requester.userNid, file) };
    }),
    handler(uploadContentToMXC, async ({ params, query, requester, context }) => {
      const file = incomingFile(context, query.filename);
      await uploads.uploadTo(requester.userNid, params.serverName, params.mediaId, file);
      return {};
    }),
  ];
}

/** The signal is made for those downloads only that have to wait. */
function patience(timeoutMs: number | undefined, context: RequestContext): Patience {
  return {
    waitMs: timeoutMs ?? defaultWaitMs,
    get signal() {
      return context.signal;
    },
  };
}

function incomingFile({ incoming }: RequestContext, filename: string | undefined): IncomingFile {
  const { "content-length": length, "content-type": contentType } = incoming.headers;
  incoming.socket.setTimeout(stallTimeoutMs);
  return {
    bytes: bodyOf(incoming),
    announcedBytes: length === undefined ? undefined : Number(length),
    contentType,
    filename,
  };
}

/** The request's body. The connection outlives it, so that a refused upload gets its answer. */
async function* bodyOf(incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    yield* incoming.iterator({ destroyOnReturn: false });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MatrixError("M_UNKNOWN", `The upload broke off: ${reason}`);
  }
}

/** What is known of a file that is to be sent. */
interface ServedFile {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly filename: string | null;
}

/** A file's bytes never change, and whoever may have them may keep them. */
const fileHeaders = {
  "Accept-Ranges": "bytes",
  "Cache-Control": "private, max-age=31536000, immutable",
  // "The recommended policy is ..."
  "Content-Security-Policy":
    "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; style-src 'unsafe-inline'; object-src 'self';",
  "Cross-Origin-Resource-Policy": "cross-origin",
  "X-Content-Type-Options": "nosniff",
} as const;

async function fileReply(file: ServedFile, library: MediaLibrary, context: RequestContext): Promise<Reply> {
  const { sha256, sizeBytes, contentType, filename } = file;
  const { range, "if-range": ifRange, "if-none-match": ifNoneMatch } = context.incoming.headers;
  const etag = `"${sha256}"`;
  const headers = { ...fileHeaders, ETag: etag };
  if (ifNoneMatch === etag || ifNoneMatch === "*") return new Reply(304, undefined, headers);
  const part = ifRange === undefined || ifRange === etag ? requestedRange(range, sizeBytes) : undefined;
  if (part === "unsatisfiable") {
    const error = { errcode: "M_INVALID_PARAM", error: `The file has ${sizeBytes} bytes` };
    return new Reply(416, error, { "Content-Range": `bytes */${sizeBytes}` });
  }
  const { start, end } = part ?? { start: 0, end: sizeBytes };
  context.incoming.socket.setTimeout(stallTimeoutMs);
  return new Reply(part ? 206 : 200, await library.read(file, { start, end }), {
    ...headers,
    ...(part && { "Content-Range": `bytes ${start}-${end - 1}/${sizeBytes}` }),
    "Content-Length": String(end - start),
    "Content-Type": contentType,
    "Content-Disposition": contentDisposition(contentType, filename),
  });
}
