import type { IncomingHttpHeaders } from "node:http";
import {
  createRendezvous,
  deleteRendezvous,
  discoverRendezvous,
  getRendezvous,
  putRendezvous,
} from "../../api/client/rendezvous.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { RendezvousSessions } from "../../services/rendezvous.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { Reply } from "../reply.ts";

/** What others have written is for nobody's cache. */
const notStored = { "Cache-Control": "no-store" };

/** MSC4388, "Insecure rendezvous session". */
export function rendezvousHandlers(sessions: RendezvousSessions): BoundEndpoint[] {
  return [
    handler(discoverRendezvous, async ({ requester }) => ({
      create_available: requester !== undefined && !requester.isGuest,
    })),
    handler(createRendezvous, async ({ body }) => {
      const session = sessions.create(Buffer.from(body.data));
      return {
        id: session.id,
        sequence_token: session.revision,
        expires_in_ms: sessions.remainingMs(session),
      };
    }),
    handler(getRendezvous, async ({ params, context }) => {
      checkNotShown(context.incoming.headers);
      const session = sessions.get(params.sessionId);
      const body = {
        data: session.payload.toString(),
        sequence_token: session.revision,
        expires_in_ms: sessions.remainingMs(session),
      };
      return new Reply(200, body, notStored);
    }),
    handler(putRendezvous, async ({ params, body }) => {
      const payload = Buffer.from(body.data);
      const { written, session } = sessions.write(params.sessionId, body.sequence_token, payload);
      // Who did not get the answer writes the same again: "the server MUST treat the request as successful".
      if (written || payload.equals(session.payload)) return { sequence_token: session.revision };
      const error = "Somebody else has written: read, and write again with the new sequence_token";
      return new Reply(409, { errcode: "IO_ELEMENT_MSC4388_CONCURRENT_WRITE", error });
    }),
    handler(deleteRendezvous, async ({ params }) => {
      sessions.remove(params.sessionId);
      return {};
    }),
  ];
}

/** "The server SHOULD inspect the Sec-Fetch-* headers to identify top-level navigation requests and return a 403." */
function checkNotShown(headers: IncomingHttpHeaders): void {
  const { "sec-fetch-dest": destination = "empty", "sec-fetch-mode": mode } = headers;
  if (destination === "empty" && mode !== "navigate") return;
  throw new MatrixError("M_FORBIDDEN", "This is for clients to read, not for browsers to show");
}
