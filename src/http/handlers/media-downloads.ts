import {
  getContent,
  getContentAuthed,
  getContentOverrideName,
  getContentOverrideNameAuthed,
  getContentThumbnail,
  getContentThumbnailAuthed,
} from "../../api/client/media.ts";
import { addressGroup } from "../../auth/address-group.ts";
import type { Requester } from "../../auth/requester.ts";
import type { ThumbnailWish } from "../../media/thumbnail-size.ts";
import type { MediaLibrary, Patience } from "../../services/media/media-library.ts";
import type { FoundThumbnail, Thumbnails } from "../../services/media/thumbnails.ts";
import type { MediaContent } from "../../storage/media.ts";
import { ConcurrencyLimit } from "../concurrency-limit.ts";
import { fileReply, type ReadPart, type ServedFile } from "../file-reply.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import type { Reply } from "../reply.ts";
import type { RequestContext } from "../request.ts";

const defaultWaitMs = 20_000;
/** A slow client has up to a mebibyte of memory, or an open file, for each. */
const maxDownloadsAtOnce = 200;

/** What the endpoints have in common. */
interface Asked {
  readonly params: { readonly serverName: string; readonly mediaId: string; readonly fileName?: string };
  readonly query: {
    readonly timeout_ms?: number;
    readonly allow_remote?: boolean;
    readonly width?: number;
    readonly height?: number;
    readonly method?: ThumbnailWish["method"];
    readonly animated?: boolean;
  };
  readonly requester: Requester | undefined;
  readonly context: RequestContext;
}

/** Client-server API, "Content repository": what goes out. */
export function mediaDownloadHandlers(library: MediaLibrary, thumbnails: Thumbnails): BoundEndpoint[] {
  const limit = new ConcurrencyLimit(maxDownloadsAtOnce);

  function find({ params, query, requester, context }: Asked): Promise<MediaContent> {
    context.whenEnded(limit.enter(requester?.userId ?? addressGroup(context.address)));
    const { serverName, mediaId } = params;
    const patience = patienceOf(query.timeout_ms, context);
    return requester
      ? library.find(serverName, mediaId, patience)
      : library.findForAnybody(serverName, mediaId, patience, query.allow_remote ?? true);
  }

  async function download(asked: Asked): Promise<Reply> {
    const file = await find(asked);
    const named = { ...file, filename: asked.params.fileName ?? file.filename };
    return fileReply(named, (range) => library.read(file, range), asked.context);
  }

  async function thumbnail(asked: Asked): Promise<Reply> {
    const { width = 1, height = 1, method = "scale", animated = false } = asked.query;
    const file = await find(asked);
    const made = await thumbnails.find(file, { width, height, method, animated });
    return fileReply(thumbnailFile(made), readerOf(made, library), asked.context);
  }

  return [
    handler(getContentAuthed, download),
    handler(getContentOverrideNameAuthed, download),
    handler(getContentThumbnailAuthed, thumbnail),
    handler(getContent, download),
    handler(getContentOverrideName, download),
    handler(getContentThumbnail, thumbnail),
  ];
}

/** A thumbnail as a file, with a name that says what it is. */
export function thumbnailFile(made: FoundThumbnail): ServedFile {
  const extension = made.contentType.slice("image/".length);
  return { ...made, filename: `thumbnail.${extension}` };
}

/** Reads a thumbnail from where it is: in memory, when there was no room to keep it. */
export function readerOf(made: FoundThumbnail, library: MediaLibrary): ReadPart {
  const { bytes } = made;
  return bytes ? async ({ start, end }) => bytes.subarray(start, end) : (range) => library.read(made, range);
}

/** The signal is made for those downloads only that have to wait. */
export function patienceOf(timeoutMs: number | undefined, context: RequestContext): Patience {
  return new RequestPatience(timeoutMs ?? defaultWaitMs, context);
}

/**
 * A class, because V8 gives each object that is written down with a getter a shape of its own. Shapes are collected with
 * the whole heap only, and until then each would keep its getter, and so the request.
 */
class RequestPatience implements Patience {
  readonly waitMs: number;
  readonly #context: RequestContext;

  constructor(waitMs: number, context: RequestContext) {
    this.waitMs = waitMs;
    this.#context = context;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }
}
