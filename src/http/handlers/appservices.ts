import * as api from "../../api/client/appservices.ts";
import type { AppserviceClient } from "../../appservices/appservice-client.ts";
import { ping } from "../../appservices/ping.ts";
import type { Requester } from "../../auth/requester.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { RoomAccess } from "../../services/rooms/room-access.ts";
import type { AppserviceStore } from "../../storage/appservices.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

export interface AppserviceHandling {
  /** Of those whose registrations have a URL. */
  readonly clients: readonly AppserviceClient[];
  readonly store: Pick<AppserviceStore, "setListed">;
  readonly access: Pick<RoomAccess, "room">;
  readonly clock: Clock;
}

const maxNetworkIdLength = 255;

/** Application service API, "Pinging" and "Published room directories". */
export function appserviceHandlers({ clients, store, access, clock }: AppserviceHandling): BoundEndpoint[] {
  return [
    handler(api.pingAppservice, async ({ requester, params, body }) => {
      const id = appserviceOf(requester);
      if (id !== params.appserviceId) {
        throw new MatrixError("M_FORBIDDEN", "This as_token is that of another application service");
      }
      const client = clients.find(({ appservice }) => appservice.id === id);
      return { duration_ms: await ping(client, body.transaction_id, clock) };
    }),
    handler(api.updateAppserviceRoomDirectoryVisibility, async ({ requester, params, body }) => {
      const { networkId, roomId } = params;
      if (networkId.length > maxNetworkIdLength) {
        throw new MatrixError("M_INVALID_PARAM", `A network ID has at most ${maxNetworkIdLength} characters`);
      }
      const { roomNid } = await access.room(roomId);
      await store.setListed(appserviceOf(requester), networkId, roomNid, body.visibility === "public");
      return {};
    }),
  ];
}

/** The endpoints' access lets nobody else in. */
function appserviceOf({ appserviceId }: Requester): string {
  if (appserviceId === undefined) throw new TypeError("only application services get here");
  return appserviceId;
}
