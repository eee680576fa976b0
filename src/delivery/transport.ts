import type { WrittenMessage } from "./message-writer.ts";

/** A way to addresses of one kind. */
export interface MessageTransport extends Disposable {
  /**
   * Hands a message over to whoever brings it to its address.
   * @param id names the message: the same for each attempt
   * @throws DeliveryError
   */
  send(address: string, message: WrittenMessage, id: string): Promise<void>;
}
