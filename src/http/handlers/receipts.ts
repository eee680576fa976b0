import { postReceipt, setReadMarker } from "../../api/client/receipts.ts";
import type { ReceiptService } from "../../services/receipts.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

/** Client-server API, "Receipts" and "Read and unread markers". */
export function receiptHandlers(receipts: ReceiptService): BoundEndpoint[] {
  return [
    handler(postReceipt, async ({ requester, params, body }) => {
      const { roomId, receiptType, eventId } = params;
      const mayGoBack = body["com.beeper.allow_backward"] ?? false;
      await receipts.post(requester, roomId, receiptType, eventId, { threadId: body.thread_id, mayGoBack });
      return {};
    }),
    handler(setReadMarker, async ({ requester, params, body }) => {
      await receipts.setMarkers(requester, params.roomId, {
        fullyRead: body["m.fully_read"],
        read: body["m.read"],
        privateRead: body["m.read.private"],
        mayGoBack: body["com.beeper.allow_backward"] ?? false,
      });
      return {};
    }),
  ];
}
