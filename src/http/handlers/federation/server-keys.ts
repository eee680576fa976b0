import {
  bulkPerspectivesKeyQuery,
  getServerKey,
  perspectivesKeyQuery,
} from "../../../api/federation/server-keys.ts";
import type { OwnKeys } from "../../../federation/keys/own-keys.ts";
import { encodeCanonicalJson } from "../../../protocol/canonical-json.ts";
import type { ServerName } from "../../../protocol/identifiers.ts";
import type { JsonObject } from "../../../protocol/json.ts";
import { MatrixError } from "../../../protocol/matrix-error.ts";
import { isServerName } from "../../../protocol/server-name.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import { JsonChunks } from "../../reply.ts";

/** Server-server API, "Retrieving server keys". */
export function serverKeyHandlers(keys: OwnKeys): BoundEndpoint[] {
  return [
    handler(getServerKey, async () => new JsonChunks([asSigned(keys.document())])),
    handler(perspectivesKeyQuery, async ({ params, query }) =>
      answerOf(await keys.documentsOf(namedServer(params.serverName), [], query.minimum_valid_until_ts ?? 0)),
    ),
    handler(bulkPerspectivesKeyQuery, async ({ body }) => {
      const queries = Object.entries(body.server_keys).map(([name, queried]) => {
        const minimums = Object.values(queried).map((key) => key.minimum_valid_until_ts ?? 0);
        return keys.documentsOf(namedServer(name), Object.keys(queried), Math.max(0, ...minimums));
      });
      // At the same time: a server that does not answer would keep all others waiting.
      return answerOf((await Promise.all(queries)).flat());
    }),
  ];
}

function answerOf(documents: readonly JsonObject[]): JsonChunks {
  return new JsonChunks([`{"server_keys":[${documents.map(asSigned).join(",")}]}`]);
}

/** There are servers that check a signature by the bytes that they get. */
function asSigned(document: JsonObject): string {
  return encodeCanonicalJson(document, { strict: false });
}

function namedServer(text: string): ServerName {
  if (isServerName(text)) return text;
  throw new MatrixError("M_INVALID_PARAM", "This is no server name");
}
