import { rendezvousHandlers } from "../http/handlers/rendezvous.ts";
import { textRendezvousHandlers } from "../http/handlers/text-rendezvous.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { RendezvousSessions } from "../services/rendezvous.ts";
import type { Foundation } from "./foundation.ts";

/** Where devices meet to sign one another in. */
export function composeRendezvous({ config, clock, randomBytes }: Foundation): readonly BoundEndpoint[] {
  return [
    ...textRendezvousHandlers(new RendezvousSessions(clock, randomBytes), config.public_base_url),
    ...rendezvousHandlers(new RendezvousSessions(clock, randomBytes)),
  ];
}
