import {
  bulkPerspectivesKeyQuery,
  getServerKey,
  perspectivesKeyQuery,
} from "../../../api/federation/server-keys.ts";
import type { OwnKeys } from "../../../federation/keys/own-keys.ts";
import type { ServerName } from "../../../protocol/identifiers.ts";
import type { JsonObject } from "../../../protocol/json.ts";
import { MatrixError } from "../../../protocol/matrix-error.ts";
import { isServerName } from "../../../protocol/server-name.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";

/** Server-server API, "Retrieving server keys". */
export function serverKeyHandlers(keys: OwnKeys): BoundEndpoint[] {
  return [
    handler(getServerKey, async () => keys.document()),
    handler(perspectivesKeyQuery, async ({ params, query }) => ({
      server_keys: await keys.documentsOf(
        namedServer(params.serverName),
        [],
        query.minimum_valid_until_ts ?? 0,
      ),
    })),
    handler(bulkPerspectivesKeyQuery, async ({ body }) => {
      const documents: JsonObject[] = [];
      for (const [name, queried] of Object.entries(body.server_keys)) {
        const minimums = Object.values(queried).map((key) => key.minimum_valid_until_ts ?? 0);
        const minimumValidUntilTs = Math.max(0, ...minimums);
        documents.push(
          ...(await keys.documentsOf(namedServer(name), Object.keys(queried), minimumValidUntilTs)),
        );
      }
      return { server_keys: documents };
    }),
  ];
}

function namedServer(text: string): ServerName {
  if (isServerName(text)) return text;
  throw new MatrixError("M_INVALID_PARAM", "This is no server name");
}
