import { RedactionSweeps } from "../services/rooms/redaction-sweeps.ts";
import type { Foundation } from "./foundation.ts";

/** Redacts what those have sent who are banned for it. */
export function composeRedactionSweeps({ stores, graph, notifier, clock, log }: Foundation): AsyncDisposable {
  const { events, rooms } = graph;
  const sweeps = new RedactionSweeps({
    store: stores.redactionSweeps,
    eventStore: stores.events,
    events,
    rooms,
    clock,
    log,
  });
  notifier.follow(["timeline", "membership"], sweeps.follow);
  sweeps.begin();
  return sweeps;
}
