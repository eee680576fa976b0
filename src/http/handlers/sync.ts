import { sync } from "../../api/client/sync.ts";
import type { FilterService } from "../../services/filters.ts";
import type { StateSection } from "../../sync/sync-request.ts";
import type { SyncV2 } from "../../sync/sync-v2.ts";
import { parseSyncToken } from "../../timeline/stream-token.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { JsonChunks } from "../reply.ts";

/** Client-server API, "Syncing". */
export function syncHandlers(syncV2: SyncV2, filters: FilterService): BoundEndpoint[] {
  return [
    handler(sync, async ({ requester, query, context }) => {
      const pieces = await syncV2.sync(
        {
          device: requester,
          since: query.since === undefined ? undefined : parseSyncToken(query.since, "since"),
          timeoutMs: query.timeout ?? 0,
          fullState: query.full_state ?? false,
          stateSection: stateSectionOf(query.use_state_after, query["org.matrix.msc4222.use_state_after"]),
          filter: await filters.forSync(requester.userNid, query.filter),
          setPresence: query.set_presence ?? "online",
        },
        context.signal,
      );
      return new JsonChunks(pieces);
    }),
  ];
}

function stateSectionOf(stable = false, unstable = false): StateSection {
  if (stable) return "state_after";
  return unstable ? "org.matrix.msc4222.state_after" : "state";
}
