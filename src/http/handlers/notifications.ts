import { getNotifications } from "../../api/client/notifications.ts";
import type { NotificationList } from "../../services/notifications/notification-list.ts";
import { parseStreamToken, streamToken } from "../../timeline/stream-token.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { JsonChunks } from "../reply.ts";

const defaultLimit = 50;
const maxLimit = 200;

/** Client-server API, "Listing Notifications". */
export function notificationHandlers(list: NotificationList): BoundEndpoint[] {
  return [
    handler(getNotifications, async ({ requester, query }) => {
      const { notifications, next } = await list.page(requester, {
        from: query.from === undefined ? Number.MAX_SAFE_INTEGER : parseStreamToken(query.from, "from"),
        limit: Math.min(query.limit ?? defaultLimit, maxLimit),
        highlightsOnly: query.only === "highlight",
      });
      const nextToken = next === undefined ? "" : `"next_token":"${streamToken(next)}",`;
      return new JsonChunks([`{${nextToken}"notifications":[${notifications.join(",")}]}`]);
    }),
  ];
}
