import type { EventId } from "../protocol/identifiers.ts";
import type { Room } from "../state/room-index.ts";
import type { CommitStore } from "../storage/commits.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { EventStore } from "../storage/events.ts";
import { type Batch, emptyBatch } from "./batch.ts";
import { moveCurrentState, type StateMoveParts } from "./current-state-move.ts";
import type { StateMap, StateSnapshots } from "../state/state-snapshots.ts";
import { GraphRestatement, type GraphRestatementParts } from "./graph-restatement.ts";
import { HeadDraft } from "./room-head.ts";
import { committedHead } from "./room-commits.ts";
import type { RoomHeads } from "./room-heads.ts";
import type { RoomQueues } from "./room-queues.ts";

export interface RestatementsParts extends GraphRestatementParts, StateMoveParts {
  readonly events: EventReader;
  readonly snapshots: StateSnapshots;
  readonly eventStore: EventStore;
  readonly commits: Pick<CommitStore, "restate">;
  readonly heads: RoomHeads;
  readonly queues: RoomQueues<number>;
}

/** Makes the states of a room whole that was joined while only part of its state was known. */
export class Restatements {
  readonly #parts: RestatementsParts;

  constructor(parts: RestatementsParts) {
    this.#parts = parts;
  }

  /**
   * Judges all events anew that the room has got since a join, by the whole state before that.
   * @param before the state, made of events that are stored
   * @param isDue whether it is still wanted once nothing else of the room is under way
   * @throws StorageError
   */
  complete(room: Room, joinId: EventId, before: StateMap, isDue: () => Promise<boolean>): Promise<void> {
    const { queues, heads, eventStore, snapshots } = this.#parts;
    return queues.run(room.roomNid, async () => {
      await heads.idle(room.roomNid);
      const joinNid = await eventStore.nidOf(joinId);
      if (joinNid === undefined || !(await isDue())) return;
      const graph = new GraphRestatement(this.#parts, room);
      const batch = emptyBatch(new HeadDraft(await heads.load(room)), graph.snapshots);
      try {
        await graph.restate(joinId, before, await eventStore.graphSince(room.roomNid, joinNid));
        await this.#commit(batch, graph);
        snapshots.settled(batch.snapshots, true);
      } catch (error) {
        snapshots.settled(batch.snapshots, false);
        throw error;
      }
    });
  }

  async #commit(batch: Batch, graph: GraphRestatement): Promise<void> {
    const { heads, commits, events } = this.#parts;
    const { draft } = batch;
    const head = await heads.load(draft.room);
    await moveCurrentState(this.#parts, batch, graph.current);
    for (const redaction of graph.redactions) await this.#parts.redactions.noteInSummary(batch, redaction);
    // Where nothing that is shown is left, nobody of this server is in the room.
    if (graph.extremities.length > 0) draft.extremities = graph.extremities;
    await commits.restate({
      roomNid: draft.room.roomNid,
      events: graph.events,
      snapshots: batch.snapshots,
      head: committedHead(draft, graph.current),
      memberships: batch.memberships,
      summary: batch.summary.change,
    });
    heads.advance(head, draft);
    heads.committed(draft.room.roomNid, true);
    for (const { eventNid } of graph.events) events.forget(eventNid);
  }
}
