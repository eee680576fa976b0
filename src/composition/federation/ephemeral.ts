import { Arrivals } from "../../federation/ephemeral/arrivals.ts";
import { EduRooms } from "../../federation/ephemeral/edu-rooms.ts";
import { InboundPresence } from "../../federation/ephemeral/inbound-presence.ts";
import { InboundReceipts } from "../../federation/ephemeral/inbound-receipts.ts";
import { typingReceiver } from "../../federation/ephemeral/inbound-typing.ts";
import { OutboundPresence } from "../../federation/ephemeral/outbound-presence.ts";
import { OutboundReceipts } from "../../federation/ephemeral/outbound-receipts.ts";
import { OutboundTyping } from "../../federation/ephemeral/outbound-typing.ts";
import type { EduReceiver } from "../../federation/inbound/edu-receivers.ts";
import type { FederationSender } from "../../federation/sending/federation-sender.ts";
import type { Presence } from "../../services/presence/presence.ts";
import type { EphemeralParts } from "../ephemeral.ts";
import type { Foundation } from "../foundation.ts";
import type { FederationParts } from "./parts.ts";

export interface FederatedEphemeral extends AsyncDisposable {
  readonly edus: readonly (readonly [type: string, receiver: EduReceiver])[];
  /** Takes up what was left when the server stopped. */
  resume(): void;
}

/**
 * Typing, receipts and presence between servers.
 * @param sender absent where federation is off
 */
export function composeFederatedEphemeral(
  foundation: Foundation,
  parts: Pick<FederationParts, "participation" | "servers">,
  { typing, presence }: EphemeralParts["observed"],
  sender: FederationSender | undefined,
): FederatedEphemeral {
  const { names, stores, notifier } = foundation;
  const opened = new AsyncDisposableStack();
  if (!sender)
    return { edus: [], resume: () => undefined, [Symbol.asyncDispose]: () => opened.disposeAsync() };
  const rooms = new EduRooms(parts.participation, names, stores.memberships);
  const receipts = opened.use(
    new InboundReceipts({ ...foundation, rooms, events: stores.events, store: stores.receipts }),
  );
  notifier.follow(["timeline"], receipts.committed);
  const shared = {
    ...foundation,
    servers: parts.servers,
    rooms: foundation.graph.rooms,
    sender,
    position: () => notifier.position,
  };
  const outboundTyping = opened.use(new OutboundTyping({ ...shared, typing }));
  const outboundReceipts = opened.use(new OutboundReceipts({ ...shared, store: stores.receipts }));
  notifier.follow(["typing"], outboundTyping.committed);
  notifier.follow(["receipts"], outboundReceipts.committed);
  if (presence) opened.use(followPresence(foundation, presence, sender));
  const inboundPresence =
    presence && new InboundPresence({ ...foundation, presence, memberships: stores.memberships });
  if (inboundPresence) notifier.follow(["membership"], inboundPresence.committed);
  return {
    edus: [
      ["m.typing", typingReceiver(rooms, typing)],
      ["m.receipt", receipts.receive],
      ...(inboundPresence ? [["m.presence", inboundPresence.receive] as const] : []),
    ],
    resume: () => outboundReceipts.resume(),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function followPresence(
  foundation: Foundation,
  presence: Presence,
  sender: FederationSender,
): OutboundPresence {
  const { config, stores, notifier } = foundation;
  const shared = { ...foundation, presence, store: stores.destinations };
  const arrivals = new Arrivals({
    ...shared,
    ownName: config.server_name,
    memberships: stores.memberships,
  });
  const outbound = new OutboundPresence({ ...shared, arrivals, sender });
  outbound.resume();
  notifier.follow(["presence", "membership"], outbound.committed);
  return outbound;
}
