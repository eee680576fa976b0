import { getVersion, getWellKnown } from "../../../api/federation/server.ts";
import { MatrixError } from "../../../protocol/matrix-error.ts";
import { version } from "../../../version.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";

/**
 * What other servers ask about this one.
 * @param publicAddress where they find it, as host and port; `null` when that is not for this server to say
 */
export function federationServerHandlers(publicAddress: string | null): BoundEndpoint[] {
  return [
    handler(getVersion, async () => ({ server: { name: "Hearth", version } })),
    handler(getWellKnown, async () => {
      if (publicAddress !== null) return { "m.server": publicAddress };
      throw new MatrixError("M_NOT_FOUND", "This server says nothing of where other servers find it");
    }),
  ];
}
