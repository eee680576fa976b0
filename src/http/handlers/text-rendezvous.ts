import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import {
  createTextRendezvous,
  deleteTextRendezvous,
  getTextRendezvous,
  putTextRendezvous,
} from "../../api/client/rendezvous.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import {
  maxPayloadBytes,
  type RendezvousSession,
  type RendezvousSessions,
} from "../../services/rendezvous.ts";
import { httpDate } from "../../telemetry/clock.ts";
import { readBytes } from "../body.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { Reply } from "../reply.ts";

/**
 * MSC4108 of 2024, "Insecure rendezvous session".
 * @param baseUrl where clients reach this server, without a slash at its end
 */
export function textRendezvousHandlers(sessions: RendezvousSessions, baseUrl: string): BoundEndpoint[] {
  return [
    handler(createTextRendezvous, async ({ context }) => {
      const session = sessions.create(await readText(context.incoming));
      const url = `${baseUrl}${createTextRendezvous.path}/${session.id}`;
      return new Reply(201, { url }, commonHeaders(session));
    }),
    handler(getTextRendezvous, async ({ params, context }) => {
      const session = sessions.get(params.sessionId);
      const headers = commonHeaders(session);
      if (context.incoming.headers["if-none-match"] === headers.ETag) {
        return new Reply(304, undefined, headers);
      }
      // Clients look for these very words, without a charset.
      const type = { "Content-Type": "text/plain", "X-Content-Type-Options": "nosniff" };
      return new Reply(200, session.payload, { ...headers, ...type });
    }),
    handler(putTextRendezvous, async ({ params, context }) => {
      const seen = seenRevision(context.incoming.headers);
      const payload = await readText(context.incoming);
      const { written, session } = sessions.write(params.sessionId, seen, payload);
      // The type is for proxies that take the ETag from an answer without one.
      if (written) return new Reply(202, "", { ...commonHeaders(session), "Content-Type": "text/plain" });
      const error = {
        errcode: "M_UNKNOWN",
        "org.matrix.msc4108.errcode": "M_CONCURRENT_WRITE",
        error: "Somebody else has written: read, and write again with the new ETag",
      };
      return new Reply(412, error, commonHeaders(session));
    }),
    handler(deleteTextRendezvous, async ({ params }) => {
      sessions.remove(params.sessionId);
      return new Reply(204, undefined);
    }),
  ];
}

interface CommonHeaders extends Record<string, string> {
  readonly ETag: string;
}

/** "Common HTTP response headers". */
function commonHeaders({ revision, expiresTs, modifiedTs }: RendezvousSession): CommonHeaders {
  return {
    ETag: `"${revision}"`,
    Expires: httpDate(expiresTs),
    "Last-Modified": httpDate(modifiedTs),
    "Cache-Control": "no-store",
    Pragma: "no-cache",
  };
}

/** "We only accept strong, single-valued ETag values; anything else constitutes a malformed request." */
function seenRevision({ "if-match": ifMatch }: IncomingHttpHeaders): string {
  if (ifMatch === undefined) throw missing("If-Match");
  const [, revision] = /^"([\w-]+)"$/.exec(ifMatch) ?? [];
  if (revision !== undefined) return revision;
  throw new MatrixError("M_INVALID_PARAM", 'If-Match has to be one ETag, like "abc"');
}

async function readText(incoming: IncomingMessage): Promise<Buffer> {
  const { "content-length": length, "content-type": type } = incoming.headers;
  if (length === undefined) throw missing("Content-Length");
  if (type === undefined) throw missing("Content-Type");
  if (type.split(";")[0]?.trim().toLowerCase() !== "text/plain") {
    throw new MatrixError("M_INVALID_PARAM", "The Content-Type has to be text/plain");
  }
  return readBytes(incoming, maxPayloadBytes);
}

function missing(header: string): MatrixError {
  return new MatrixError("M_MISSING_PARAM", `The header ${header} is missing`);
}
