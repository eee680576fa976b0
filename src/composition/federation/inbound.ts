import { EduReceivers, type EduReceiver } from "../../federation/inbound/edu-receivers.ts";
import { EventCompletion } from "../../federation/inbound/event-completion.ts";
import { RoomInboxes } from "../../federation/inbound/room-inboxes.ts";
import { InboundTransactions } from "../../federation/inbound/transactions.ts";
import { Withdrawals } from "../../federation/inbound/withdrawals.ts";
import { transactionHandlers } from "../../http/handlers/federation/transactions.ts";
import type { BoundEndpoint } from "../../http/pipeline.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import { CurrentState } from "../../state/current-state.ts";
import type { Foundation } from "../foundation.ts";
import type { FederationParts } from "./parts.ts";

export interface FederationInbound extends AsyncDisposable {
  readonly handlers: readonly BoundEndpoint[];
  /** Takes up what had been acknowledged when the server stopped. */
  resume(): Promise<void>;
}

/** What other servers send in transactions. */
export function composeFederationInbound(
  { config, clock, log, stores, graph, names, policyServers, partialRooms }: Foundation,
  { checks, requests, toldStates, participation }: FederationParts,
  edus: ReadonlyMap<string, EduReceiver>,
  accepted: (event: RoomEvent) => Promise<void>,
): FederationInbound {
  const state = new CurrentState({ ...graph, rooms: stores.rooms, names });
  const completion = new EventCompletion({
    receiver: graph.receiver,
    rooms: stores.rooms,
    events: stores.events,
    requests,
    checks,
    toldStates,
    isWanted: (room, event) =>
      policyServers.recommends(room, event, {
        event: (type, stateKey) => state.event(room, type, stateKey),
      }),
    clock,
    log,
  });
  const inboxes = new RoomInboxes({
    store: stores.federationInbox,
    rooms: graph.rooms,
    completion,
    partialRooms,
    accepted,
    clock,
    log,
  });
  const transactions = new InboundTransactions({
    rooms: graph.rooms,
    participation,
    checks,
    withdrawals: new Withdrawals({
      serverName: config.server_name,
      outliers: graph.outliers,
      memberships: stores.memberships,
      events: graph.events,
      eventStore: stores.events,
      names,
    }),
    inboxes,
    edus: new EduReceivers(edus, log),
    clock,
  });
  return {
    handlers: transactionHandlers(transactions),
    resume: () => inboxes.resume(),
    [Symbol.asyncDispose]: () => inboxes[Symbol.asyncDispose](),
  };
}
