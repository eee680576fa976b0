import * as api from "../../api/client/user-discovery.ts";
import type { MutualRooms } from "../../services/discovery/mutual-rooms.ts";
import type { UserDirectory } from "../../services/discovery/user-directory.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

/** Client-server API, "User directory" and "Mutual rooms". */
export function userDiscoveryHandlers(directory: UserDirectory, mutualRooms: MutualRooms): BoundEndpoint[] {
  return [
    handler(api.searchUserDirectory, async ({ requester, body }) => {
      const { users, isLimited } = await directory.search(requester.userNid, body.search_term, body.limit);
      const results = users.map(({ userId, displayName, avatarUrl }) => ({
        user_id: userId,
        display_name: displayName ?? undefined,
        avatar_url: avatarUrl ?? undefined,
      }));
      return { results, limited: isLimited };
    }),
    handler(api.getMutualRooms, async ({ requester, query }) => {
      const from = query.from ?? query.batch_token;
      const { roomIds, total, next } = await mutualRooms.page(requester, query.user_id, from);
      return { joined: roomIds, count: total, next_batch: next, next_batch_token: next };
    }),
  ];
}
