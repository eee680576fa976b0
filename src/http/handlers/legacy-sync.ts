import * as api from "../../api/client/legacy-sync.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { RoomSnapshots } from "../../services/reading/room-snapshots.ts";
import type { SingleEvents } from "../../services/reading/single-events.ts";
import type { EventStream } from "../../sync/event-stream.ts";
import type { InitialSync } from "../../sync/initial-sync.ts";
import { parseStreamToken, streamToken } from "../../timeline/stream-token.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { JsonChunks } from "../reply.ts";

export interface LegacySyncServices {
  readonly initial: InitialSync;
  readonly snapshots: RoomSnapshots;
  readonly stream: EventStream;
  readonly single: SingleEvents;
}

/** Client-server API: what there was before "Syncing", and "Room Previews". */
export function legacySyncHandlers(services: LegacySyncServices): BoundEndpoint[] {
  const { initial, snapshots, stream, single } = services;
  return [
    handler(api.initialSync, async ({ requester, query }) => {
      return new JsonChunks(await initial.read(requester, query.limit, query.archived ?? false));
    }),
    handler(api.roomInitialSync, async ({ requester, params, query }) => {
      return new JsonChunks(await snapshots.read(params.roomId, requester, query.limit));
    }),
    handler(api.getEvents, async ({ requester, query, context }) => {
      const from = query.from === undefined ? undefined : parseStreamToken(query.from, "from");
      const { start, end, chunk } = await stream.after(
        requester,
        from,
        query.timeout,
        query.room_id,
        context.signal,
      );
      return new JsonChunks([
        `{"start":"${streamToken(start)}","end":"${streamToken(end)}","chunk":[${chunk.join(",")}]}`,
      ]);
    }),
    handler(api.getOneEvent, async ({ requester, params }) => {
      const event = await single.findAnywhere(requester, params.eventId);
      if (event !== undefined) return new JsonChunks([event]);
      throw new MatrixError("M_NOT_FOUND", "There is no such event that you may see");
    }),
  ];
}
