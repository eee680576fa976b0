import * as api from "../../api/client/reports.ts";
import type { Reports } from "../../services/reports.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { userIdFrom } from "./path-parameters.ts";

/** Client-server API, "Reporting content". */
export function reportHandlers(reports: Reports): BoundEndpoint[] {
  return [
    handler(api.reportRoom, async ({ requester, params, body }) => {
      await reports.room(requester, params.roomId, body.reason);
      return {};
    }),
    handler(api.reportEvent, async ({ requester, params, body }) => {
      await reports.event(requester, params.roomId, params.eventId, body);
      return {};
    }),
    handler(api.reportUser, async ({ requester, params, body }) => {
      await reports.user(requester, userIdFrom(params.userId), body.reason);
      return {};
    }),
  ];
}
