import { sendTransaction } from "../../../api/federation/transactions.ts";
import type { InboundTransactions } from "../../../federation/inbound/transactions.ts";
import type { JsonValue } from "../../../protocol/json.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";

/** Server-server API, "Transactions". */
export function transactionHandlers(transactions: InboundTransactions): BoundEndpoint[] {
  return [
    handler(sendTransaction, async ({ params, body, requester }) => {
      const { pdus, edus = [] } = body;
      const results = await transactions.receive(
        requester.serverName,
        params.txnId,
        pdus as readonly JsonValue[],
        edus as readonly JsonValue[],
      );
      return { pdus: results };
    }),
  ];
}
