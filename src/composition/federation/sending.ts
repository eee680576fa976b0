import { FederationSender } from "../../federation/sending/federation-sender.ts";
import { TransactionTexts } from "../../federation/sending/transaction-text.ts";
import { randomFraction } from "../../telemetry/random.ts";
import type { Foundation } from "../foundation.ts";
import type { RoomTimelines } from "../../timeline/room-timelines.ts";
import type { FederationParts } from "./parts.ts";

/** What this server sends to others; absent where federation is off. */
export function composeFederationSending(
  { config, clock, log, randomBytes, stores, graph, names, notifier, heardServers }: Foundation,
  { client, policy, servers }: Pick<FederationParts, "client" | "policy" | "servers">,
  timelines: RoomTimelines,
): FederationSender | undefined {
  if (!config.federation.enabled) return undefined;
  const sender = new FederationSender({
    ownName: config.server_name,
    client,
    policy,
    servers,
    store: stores.destinations,
    deviceUpdates: stores.deviceUpdates,
    texts: new TransactionTexts(config.server_name, graph.events, graph.rooms),
    timelines,
    events: graph.events,
    names,
    position: () => notifier.position,
    clock,
    random: () => randomFraction(randomBytes),
    log,
  });
  notifier.follow(["timeline", "membership", "deviceLists", "deviceUpdates"], sender.committed);
  heardServers.follow((server) => sender.heard(server));
  return sender;
}
