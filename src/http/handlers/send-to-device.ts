import { sendToDevice } from "../../api/client/send-to-device.ts";
import type { ToDevice } from "../../services/to-device.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

/** Client-server API, "Send-to-Device messaging". */
export function sendToDeviceHandlers(toDevice: ToDevice): BoundEndpoint[] {
  return [
    handler(sendToDevice, async ({ requester, params, body }) => {
      const { userNid, userId, deviceId } = requester;
      const { eventType, txnId: transactionId } = params;
      await toDevice.send({ userNid, userId, deviceId, eventType, transactionId }, body.messages);
      return {};
    }),
  ];
}
