import { reportHandlers } from "../http/handlers/reports.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { Reports } from "../services/reports.ts";
import type { RoomAccess } from "../services/rooms/room-access.ts";
import type { Foundation } from "./foundation.ts";

/** What users report to the administrators. */
export function composeReports(
  { config, stores, names, clock, log }: Foundation,
  { access }: { readonly access: RoomAccess },
): readonly BoundEndpoint[] {
  const { reports: store, events, accounts } = stores;
  const serverName = config.server_name;
  return reportHandlers(new Reports({ store, access, events, accounts, names, serverName, clock, log }));
}
