import {
  deleteDehydratedDevice,
  getDehydratedDevice,
  getDehydratedDeviceEvents,
  postDehydratedDeviceEvents,
  putDehydratedDevice,
} from "../../api/client/dehydrated-devices.ts";
import type { DehydratedDevices, DehydratedMessages } from "../../services/dehydrated-devices.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { JsonChunks } from "../reply.ts";

/** MSC3814, dehydrated devices. */
export function dehydratedDeviceHandlers(devices: DehydratedDevices): BoundEndpoint[] {
  return [
    handler(getDehydratedDevice, async ({ requester }) => {
      const { deviceId, deviceData } = await devices.get(requester);
      return new JsonChunks([`{"device_id":${JSON.stringify(deviceId)},"device_data":${deviceData}}`]);
    }),
    handler(putDehydratedDevice, async ({ requester, body }) => {
      await devices.put(requester, body);
      return { device_id: body.device_id };
    }),
    handler(deleteDehydratedDevice, async ({ requester }) => ({
      device_id: await devices.remove(requester),
    })),
    handler(getDehydratedDeviceEvents, async ({ requester, params, query }) => {
      const messages = await devices.messages(requester, params.deviceId, query.from);
      return messagesJson(messages, messages.hasMore);
    }),
    handler(postDehydratedDeviceEvents, async ({ requester, params, body }) =>
      // Clients of older drafts read on until a page is empty: each page has to say where the next begins.
      messagesJson(await devices.messages(requester, params.deviceId, body.next_batch), true),
    ),
  ];
}

function messagesJson({ events, nextBatch }: DehydratedMessages, hasNext: boolean): JsonChunks {
  const next = hasNext ? `,"next_batch":${JSON.stringify(nextBatch)}` : "";
  return new JsonChunks([`{"events":[${events.join(",")}]${next}}`]);
}
