import type { IncomingMessage } from "node:http";
import {
  createContent,
  getConfig,
  getConfigAuthed,
  uploadContent,
  uploadContentToMXC,
} from "../../api/client/media.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { IncomingFile, Uploads } from "../../services/media/uploads.ts";
import { bodyBlocks } from "../body-blocks.ts";
import { ConcurrencyLimit } from "../concurrency-limit.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import type { RequestContext } from "../request.ts";

/** A connection on which nothing moves for this long is closed. */
const stallTimeoutMs = 60_000;
const maxUploadsAtOnce = 50;

/** Client-server API, "Content repository": what comes in. */
export function mediaHandlers(uploads: Uploads): BoundEndpoint[] {
  const config = { "m.upload.size": uploads.maxUploadBytes };
  const limit = new ConcurrencyLimit(maxUploadsAtOnce);
  return [
    handler(getConfig, async () => config),
    handler(getConfigAuthed, async () => config),
    handler(createContent, async ({ requester }) => {
      const { contentUri, expiresTs } = await uploads.reserve(requester.userNid);
      return { content_uri: contentUri, unused_expires_at: expiresTs };
    }),
    handler(uploadContent, async ({ query, requester, context }) => {
      context.whenEnded(limit.enter(requester.userId));
      const file = incomingFile(context, query.filename);
      return { content_uri: await uploads.upload(requester.userNid, file) };
    }),
    handler(uploadContentToMXC, async ({ params, query, requester, context }) => {
      context.whenEnded(limit.enter(requester.userId));
      const file = incomingFile(context, query.filename);
      await uploads.uploadTo(requester.userNid, params.serverName, params.mediaId, file);
      return {};
    }),
  ];
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

async function* bodyOf(incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    yield* bodyBlocks(incoming);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MatrixError("M_UNKNOWN", `The upload broke off: ${reason}`);
  }
}
