import { GapFilling } from "../../federation/history/gap-filling.ts";
import { HistoryEvents } from "../../federation/history/history-events.ts";
import { HistoryServers } from "../../federation/history/history-servers.ts";
import { RemoteMoments } from "../../federation/history/remote-moments.ts";
import { SingleHistoryEvents } from "../../federation/history/single-events.ts";
import type { RemoteHistory } from "../../services/reading/remote-history.ts";
import type { Foundation } from "../foundation.ts";
import type { FederationParts } from "./parts.ts";

/** The history of rooms that is missing here, from the rooms' other servers. `undefined` where federation is off. */
export function composeRemoteHistory(
  { config, clock, log, stores, graph, heardServers }: Foundation,
  { checks, requests, toldStates, participation }: FederationParts,
): RemoteHistory | undefined {
  if (!config.federation.enabled) return undefined;
  const eventStore = stores.events;
  const { events, receiver } = graph;
  const servers = new HistoryServers(participation, clock, heardServers, log);
  const history = new HistoryEvents({ checks, toldStates, eventStore, events });
  const shared = { eventStore, events, receiver, requests, servers, history, clock, log };
  const gaps = new GapFilling(shared);
  const single = new SingleHistoryEvents({ ...shared, gaps });
  const moments = new RemoteMoments({ ...shared, single });
  return {
    fillGap: (...query) => gaps.fill(...query),
    bringEvent: (...query) => single.bring(...query),
    closestInTime: (...query) => moments.closestInTime(...query),
  };
}
