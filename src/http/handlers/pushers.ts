import { getPushers, postPusher } from "../../api/client/pushers.ts";
import type { PusherService } from "../../services/pushers.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { JsonChunks } from "../reply.ts";

/** Client-server API, "Push Notifications": `/pushers`. */
export function pusherHandlers(pushers: PusherService): BoundEndpoint[] {
  return [
    handler(getPushers, async ({ requester }) => {
      const descriptions = await pushers.descriptionsOf(requester.userNid);
      return new JsonChunks([`{"pushers":[${descriptions.join(",")}]}`]);
    }),
    handler(postPusher, async ({ requester, body }) => {
      if (body.kind === null) await pushers.remove(requester.userNid, body.app_id, body.pushkey);
      else await pushers.set(requester, { ...body, kind: body.kind });
      return {};
    }),
  ];
}
