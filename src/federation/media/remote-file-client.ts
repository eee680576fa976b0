import type { IncomingHttpHeaders } from "node:http";
import { OutboundError } from "../../outbound/errors.ts";
import type { OutboundHttp } from "../../outbound/outbound-http.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import {
  type RemoteFile,
  RemoteFileError,
  type RemoteFileFailure,
  type RemoteFiles,
} from "../../services/media/remote-files.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { type FederationAnswer, type FederationClient, FederationError } from "../federation-client.ts";
import type { HeardServers } from "../heard-servers.ts";
import { RestingServers } from "../resting-servers.ts";
import { filenameOf, parseParameterisedHeader } from "./header-parameters.ts";
import { MultipartError, multipartParts } from "./multipart-reader.ts";
import { pacedBody } from "./paced-body.ts";

export interface RemoteFileClientParts {
  readonly client: Pick<FederationClient, "stream">;
  /** For files that servers have elsewhere. */
  readonly http: Pick<OutboundHttp, "stream">;
  readonly clock: Clock;
  readonly heard: HeardServers;
}

/** Where a server says that a file is. */
interface Elsewhere {
  readonly location: URL;
}

/** For all of a file, however large it is and however long it has to be waited for. */
const maxDurationMs = 15 * 60_000;
/** An answer that does not begin in half a minute counts as none. */
const maxWaitMs = 25_000;
/** A room may show fifty pictures of a server that is gone. */
const restMs = 15_000;
const maxRedirects = 5;
/** The first part says nothing yet. */
const maxMetadataBytes = 64 * 1024;
/** What is around a file in a multipart answer. */
const maxEnvelopeBytes = 128 * 1024;
const unknownEndpointStatuses: readonly number[] = [400, 404, 405];
const notFoundStatuses: readonly number[] = [401, 403, 404, 410];
/** RFC 2046, section 5.1.1. */
const boundaryGrammar = /^[\w'()+,./:=? -]{1,70}$/;

/** Fetches files from other servers (server-server API, "Content Repository"). */
export class RemoteFileClient implements RemoteFiles {
  readonly #parts: RemoteFileClientParts;
  readonly #resting: RestingServers;

  constructor(parts: RemoteFileClientParts) {
    this.#parts = parts;
    this.#resting = new RestingServers(restMs, parts.clock, parts.heard);
  }

  async fetch<Result>(
    serverName: ServerName,
    mediaId: string,
    waitMs: number,
    take: (file: RemoteFile) => Promise<Result>,
  ): Promise<Result> {
    const patienceMs = Math.min(waitMs, maxWaitMs);
    try {
      return await this.#fetchSigned(serverName, mediaId, patienceMs, take);
    } catch (error) {
      // "servers MUST try the endpoints described below before falling back to the deprecated [...] endpoints when they
      // receive a `404 M_UNRECOGNIZED` error."
      if (!(error instanceof FederationError) || !isUnknownEndpoint(error)) throw remoteFileError(error);
    }
    try {
      return await this.#fetchUnsigned(serverName, mediaId, patienceMs, take);
    } catch (error) {
      throw remoteFileError(error);
    }
  }

  async #fetchSigned<Result>(
    destination: ServerName,
    mediaId: string,
    waitMs: number,
    take: (file: RemoteFile) => Promise<Result>,
  ): Promise<Result> {
    const uri = `/_matrix/federation/v1/media/download/${encodeURIComponent(mediaId)}?timeout_ms=${waitMs}`;
    const outcome = await this.#stream(destination, uri, true, (answer) => takeSecondPart(answer, take));
    return "taken" in outcome ? outcome.taken : this.#follow(outcome.location, take);
  }

  /** "When falling back, servers MUST be sure to set `allow_remote` to `false`." */
  #fetchUnsigned<Result>(
    destination: ServerName,
    mediaId: string,
    waitMs: number,
    take: (file: RemoteFile) => Promise<Result>,
  ): Promise<Result> {
    const path = `/_matrix/media/v3/download/${encodeURIComponent(destination)}/${encodeURIComponent(mediaId)}`;
    const uri = `${path}?allow_remote=false&timeout_ms=${waitMs}`;
    return this.#stream(destination, uri, false, ({ headers, body }) => take(plainFile(headers, body)));
  }

  #stream<Result>(
    destination: ServerName,
    uri: string,
    isSigned: boolean,
    read: (answer: FederationAnswer) => Promise<Result>,
  ): Promise<Result> {
    const pace = new AbortController();
    const request = {
      destination,
      method: "GET",
      uri,
      isSigned,
      timeoutMs: maxDurationMs,
      signal: pace.signal,
    } as const;
    const { client, clock } = this.#parts;
    return this.#resting.ask(destination, () =>
      client.stream(request, ({ headers, body }) =>
        read({ headers, body: pacedBody(body, clock, () => pace.abort()) }),
      ),
    );
  }

  /** What a URL leads to; nothing tells it who asks. Its address has to be one that servers may have. */
  async #follow<Result>(url: URL, take: (file: RemoteFile) => Promise<Result>): Promise<Result> {
    const pace = new AbortController();
    const request = {
      method: "GET",
      url,
      timeoutMs: maxDurationMs,
      maxRedirects,
      permits: ({ protocol }: URL) => protocol === "https:",
      signal: pace.signal,
    } as const;
    return this.#parts.http.stream(request, ({ status, headers, body }) => {
      if (status !== 200) throw new RemoteFileError("bad-answer", `${url.host} answered ${status}`);
      return take(
        plainFile(
          headers,
          pacedBody(body, this.#parts.clock, () => pace.abort()),
        ),
      );
    });
  }
}

/** Hands on the file of a multipart answer, of which the first part describes it and the second one is it. */
async function takeSecondPart<Result>(
  { headers, body }: FederationAnswer,
  take: (file: RemoteFile) => Promise<Result>,
): Promise<{ readonly taken: Result } | Elsewhere> {
  checkEncoding(headers);
  let count = 0;
  for await (const part of multipartParts(body, boundaryOf(headers))) {
    count += 1;
    if (count === 1) {
      await passOver(part.body);
      continue;
    }
    const location = part.headers.get("location");
    if (location !== undefined) return { location: urlOf(location) };
    const minBytes = Number(headers["content-length"] ?? 0) - maxEnvelopeBytes;
    return { taken: await take(fileOf(part.headers, minBytes, part.body)) };
  }
  throw new MultipartError("it has fewer than two parts");
}

function boundaryOf(headers: IncomingHttpHeaders): string {
  const { value, parameters } = parseParameterisedHeader(headers["content-type"] ?? "");
  const boundary = parameters.get("boundary") ?? "";
  if (value === "multipart/mixed" && boundaryGrammar.test(boundary)) return boundary;
  throw new MultipartError(`its type is ${value.slice(0, 100)}, or has no boundary`);
}

async function passOver(body: AsyncIterable<Buffer>): Promise<void> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxMetadataBytes) throw new MultipartError("its first part is too long");
  }
}

function urlOf(location: string): URL {
  const url = URL.parse(location);
  if (url) return url;
  throw new MultipartError("its `Location` is no URL");
}

/** A file that is the whole answer. */
function plainFile(headers: IncomingHttpHeaders, body: AsyncIterable<Buffer>): RemoteFile {
  checkEncoding(headers);
  const described = new Map(
    Object.entries({
      "content-type": headers["content-type"] ?? "",
      // Where headers are read as Latin-1, names that are no ASCII have been taken apart.
      "content-disposition": Buffer.from(headers["content-disposition"] ?? "", "latin1").toString("utf8"),
    }),
  );
  return fileOf(described, Number(headers["content-length"] ?? 0), body);
}

function fileOf(
  headers: ReadonlyMap<string, string>,
  minBytes: number,
  bytes: AsyncIterable<Buffer>,
): RemoteFile {
  return {
    minBytes,
    contentType: headers.get("content-type") || undefined,
    filename: filenameOf(headers.get("content-disposition") ?? ""),
    bytes: toldBody(bytes),
  };
}

/** The bytes, whose faults are told as those of a file. */
async function* toldBody(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* body;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RemoteFileError("bad-answer", `The file breaks off: ${reason}`, { cause: error });
  }
}

/** Nothing compressed has been asked for: a small answer could become a very large file. */
function checkEncoding({ "content-encoding": encoding = "identity" }: IncomingHttpHeaders): void {
  if (encoding === "identity") return;
  throw new RemoteFileError("bad-answer", "The answer is compressed, which was not asked for");
}

/** Older servers have other ways to say so, and what stands before them may say so in other words than Matrix has. */
function isUnknownEndpoint({ status, errcode }: FederationError): boolean {
  return unknownEndpointStatuses.includes(status ?? 0) && (errcode ?? "M_UNRECOGNIZED") === "M_UNRECOGNIZED";
}

function remoteFileError(error: unknown): unknown {
  if (error instanceof FederationError) {
    return new RemoteFileError(failureOf(error), error.message, { cause: error });
  }
  // That a server names a place where nothing can be had says nothing of its other files.
  if (error instanceof OutboundError || error instanceof MultipartError) {
    return new RemoteFileError("bad-answer", error.message, { cause: error });
  }
  return error;
}

function failureOf({ failure, status, errcode }: FederationError): RemoteFileFailure {
  if (failure === "unreachable") return "unreachable";
  if (errcode === "M_NOT_YET_UPLOADED") return "not-yet-uploaded";
  if (errcode === "M_TOO_LARGE") return "too-large";
  if (status === 429) return "busy";
  return notFoundStatuses.includes(status ?? 0) ? "not-found" : "bad-answer";
}
