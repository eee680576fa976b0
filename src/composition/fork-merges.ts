import { ForkMerges } from "../services/rooms/fork-merges.ts";
import type { Foundation } from "./foundation.ts";

/** Keeps the ends of rooms' graphs few. */
export function composeForkMerges({ stores, graph, names, clock, log }: Foundation): ForkMerges {
  const merges = new ForkMerges({
    writer: graph.writer,
    memberships: stores.memberships,
    names,
    clock,
    log,
  });
  graph.receiver.followForks(merges.note);
  return merges;
}
