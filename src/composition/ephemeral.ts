import { presenceHandlers } from "../http/handlers/presence.ts";
import { receiptHandlers } from "../http/handlers/receipts.ts";
import { typingHandlers } from "../http/handlers/typing.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { Presence } from "../services/presence/presence.ts";
import { PresenceService } from "../services/presence/presence-service.ts";
import { ReceiptService } from "../services/receipts.ts";
import type { RoomAccess } from "../services/rooms/room-access.ts";
import { Typing } from "../services/typing.ts";
import type { EphemeralStream } from "../sync/streams/ephemeral.ts";
import type { PresenceStream } from "../sync/streams/presence.ts";
import { ReceiptStream } from "../sync/streams/receipts.ts";
import { TypingStream } from "../sync/streams/typing.ts";
import { UserPresenceStream } from "../sync/streams/user-presence.ts";
import { EventThreads } from "../timeline/event-threads.ts";
import type { Foundation } from "./foundation.ts";

export interface EphemeralParts extends AsyncDisposable {
  /** For sync. */
  readonly ephemeral: readonly EphemeralStream[];
  /** For sync; absent where presence is switched off. */
  readonly presence: PresenceStream | undefined;
  /** For those who are told of more than what they sync. */
  readonly observed: { readonly typing: Typing; readonly presence: Presence | undefined };
  readonly handlers: readonly BoundEndpoint[];
}

/** What users see of each other beside events: receipts, typing, presence. */
export async function composeEphemeral(foundation: Foundation, access: RoomAccess): Promise<EphemeralParts> {
  const { config, stores, names, notifier, memberships, clock, log } = foundation;
  const typing = new Typing(stores.positions, clock, log);
  notifier.follow(["typing", "timeline", "membership"], typing.committed);
  const threads = new EventThreads(stores.relations);
  const receipts = new ReceiptService({
    store: stores.receipts,
    access,
    events: stores.events,
    threads,
    clock,
  });
  const presence = config.presence.enabled ? new Presence(stores.presence, clock, log) : undefined;
  if (presence) {
    await presence.resume();
    notifier.follow(["timeline", "notifications", "membership"], presence.committed);
  }
  return {
    ephemeral: [new ReceiptStream(stores.receipts, names), new TypingStream(typing, names)],
    presence:
      presence && new UserPresenceStream({ presence, store: stores.presence, memberships, names, clock }),
    observed: { typing, presence },
    handlers: [
      ...receiptHandlers(receipts),
      ...typingHandlers(typing, access, presence),
      ...presenceHandlers(presence && new PresenceService(presence, stores.memberships, names, clock)),
    ],
    async [Symbol.asyncDispose]() {
      typing[Symbol.dispose]();
      await presence?.[Symbol.asyncDispose]();
    },
  };
}
