import * as api from "../../api/client/thread-subscriptions.ts";
import type { ThreadSubscriptions } from "../../services/thread-subscriptions.ts";
import { positionOfPos } from "../../sync/sliding/connections.ts";
import type { ThreadSubscriptionStream } from "../../sync/streams/thread-subscriptions.ts";
import { parseStreamToken, streamToken } from "../../timeline/stream-token.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

const defaultLimit = 100;

/** MSC4306, and the pages of MSC4308. */
export function threadSubscriptionHandlers(
  subscriptions: ThreadSubscriptions,
  stream: ThreadSubscriptionStream,
): BoundEndpoint[] {
  return [
    handler(api.getThreadSubscription, async ({ requester, params }) => {
      const { isAutomatic } = await subscriptions.get(requester, params.roomId, params.eventId);
      return { automatic: isAutomatic };
    }),
    handler(api.subscribeToThread, async ({ requester, params, body }) => {
      await subscriptions.subscribe(requester, params.roomId, params.eventId, body.automatic);
      return {};
    }),
    handler(api.unsubscribeFromThread, async ({ requester, params }) => {
      await subscriptions.unsubscribe(requester, params.roomId, params.eventId);
      return {};
    }),
    handler(api.getThreadSubscriptions, async ({ requester, query }) => {
      const from = query.from === undefined ? Number.MAX_SAFE_INTEGER : parseStreamToken(query.from, "from");
      const to = query.to === undefined ? undefined : positionOfPos(query.to, "to");
      const page = await stream.changes(requester.userNid, to, from, query.limit ?? defaultLimit);
      return {
        subscribed: page.subscribed,
        unsubscribed: page.unsubscribed,
        ...(page.next !== undefined && { end: streamToken(page.next) }),
      };
    }),
  ];
}
