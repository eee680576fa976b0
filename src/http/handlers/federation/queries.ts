import { queryInfo, queryProfile } from "../../../api/federation/queries.ts";
import { parseUserId } from "../../../protocol/identifiers.ts";
import { MatrixError } from "../../../protocol/matrix-error.ts";
import type { Profiles } from "../../../services/profiles/profiles.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import { JsonChunks } from "../../reply.ts";

/** What other servers ask about users of this one (server-server API, "Querying for information"). */
export function queryHandlers(profiles: Profiles): BoundEndpoint[] {
  return [
    handler(queryProfile, async ({ query: { user_id: text, field: name } }) => {
      const userId = parseUserId(text);
      if (!userId) throw new MatrixError("M_INVALID_PARAM", "user_id is not like @name:server");
      if (!profiles.isOwn(userId)) throw new MatrixError("M_INVALID_PARAM", "The user is not of this server");
      const profile = await profiles.findOwn(userId);
      const json = name === undefined ? profile.json : profile.field(name);
      if (json === undefined) throw new MatrixError("M_NOT_FOUND", "This profile does not have this field");
      return new JsonChunks([json]);
    }),
    // Those that are known have endpoints of their own.
    handler(queryInfo, async ({ params: { queryType } }) => {
      throw new MatrixError("M_NOT_FOUND", `This server knows no query for ${queryType.slice(0, 100)}`);
    }),
  ];
}
