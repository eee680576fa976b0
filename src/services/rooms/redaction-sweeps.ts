import { Rounds } from "../../concurrency/rounds.ts";
import { redactedText } from "../../ingest/redaction.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { EventOutline, EventStore, StoredEvent } from "../../storage/events.ts";
import type { RedactionSweep, RedactionSweepStore } from "../../storage/redaction-sweeps.ts";
import type { CommitListener } from "../../storage/streams.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";

export interface RedactionSweepParts {
  readonly store: RedactionSweepStore;
  readonly eventStore: Pick<EventStore, "outlinesBackwards">;
  readonly events: EventReader;
  readonly rooms: RoomIndex;
  readonly clock: Clock;
  readonly log: Logger;
}

const retryAfterMs = 5 * 60 * 1000;
const sweepsAtOnce = 100;
const outlinesAtOnce = 1_000;
/** One write redacts so many, so that others get their turn. */
const redactedAtOnce = 50;
/** A member event for each change of a name. */
const maxMemberEvents = 10_000;

/**
 * Redacts what somebody has sent since they joined a room, when a ban or kick asks for it (MSC4293): in the background,
 * since it may be much. What is to be done is stored, so that neither a crash nor a fault leaves it undone.
 */
export class RedactionSweeps implements AsyncDisposable {
  readonly #parts: RedactionSweepParts;
  readonly #rounds: Rounds;

  constructor(parts: RedactionSweepParts) {
    this.#parts = parts;
    this.#rounds = new Rounds(() => this.#round(), parts.clock);
  }

  /** To be called with each commit: bans and kicks are among them, or such as had to wait. */
  readonly follow: CommitListener = (_position, changes) => {
    if (changes.some(({ membership, isWhole }) => membership?.joined === false || isWhole)) this.begin();
  };

  /** To be called at the start, for what was left. */
  begin(): void {
    this.#rounds.begin();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rounds[Symbol.asyncDispose]();
  }

  async #round(): Promise<void> {
    if (!(await this.#attemptAll())) this.#rounds.beginIn(retryAfterMs);
  }

  /** Returns whether nothing is left to be tried again. */
  async #attemptAll(): Promise<boolean> {
    try {
      const sweeps = await this.#parts.store.list(sweepsAtOnce);
      let isDone = true;
      for (const sweep of sweeps) isDone = (await this.#attempt(sweep)) && isDone;
      if (isDone && sweeps.length === sweepsAtOnce) this.begin();
      return isDone;
    } catch (error) {
      this.#parts.log.error({ err: error }, "what banned users have sent could not be looked up");
      return false;
    }
  }

  /** Returns whether it is done: one that fails does not keep the others waiting. */
  async #attempt(sweep: RedactionSweep): Promise<boolean> {
    try {
      if (!(await this.#sweep(sweep))) return false;
      await this.#parts.store.done(sweep.eventNid);
      return true;
    } catch (error) {
      this.#parts.log.error({ err: error, ...sweep }, "a ban's redactions failed; trying again later");
      return false;
    }
  }

  /** Returns false when the server stops before it is done. */
  async #sweep(sweep: RedactionSweep): Promise<boolean> {
    const { events, rooms, eventStore } = this.#parts;
    const { roomNid } = sweep;
    const asking = await events.stored(sweep.eventNid);
    const joined = await this.#joinedAt(asking);
    if (joined === undefined || asking.position === null) return true;
    const room = await rooms.byNid(roomNid);
    let from = asking.position - 1;
    for (;;) {
      if (this.#rounds.isClosed) return false;
      const outlines = await eventStore.outlinesBackwards(roomNid, from, joined - 1, outlinesAtOnce);
      await this.#redact(sweep, room, outlines.filter(isDue(sweep, asking)));
      const last = outlines.at(-1)?.position;
      if (outlines.length < outlinesAtOnce || typeof last !== "number") return true;
      from = last - 1;
    }
  }

  /** Where the target has joined, if they were joined: "up to the point of the user's previous membership event". */
  async #joinedAt({ replaces }: StoredEvent): Promise<number | undefined> {
    const { events } = this.#parts;
    let joined: number | undefined;
    let nid = replaces;
    for (let count = 0; nid !== null && count < maxMemberEvents; count += 1) {
      const { content } = await events.roomEvent(nid);
      if (content["membership"] !== "join") break;
      const member = await events.stored(nid);
      joined = member.position ?? joined;
      nid = member.replaces;
    }
    return joined;
  }

  async #redact(sweep: RedactionSweep, room: Room, outlines: readonly EventOutline[]): Promise<void> {
    const { store, events } = this.#parts;
    for (let first = 0; first < outlines.length; first += redactedAtOnce) {
      const nids = outlines.slice(first, first + redactedAtOnce).map(({ eventNid }) => eventNid);
      const targets = await events.roomEvents(nids);
      const redactions = targets.map((target, index) => redactedText(room.version, nids[index] ?? 0, target));
      await store.redact(sweep, redactions);
    }
  }
}

/**
 * What the target has sent, their own member events included. Other state stays: it is the room's by now, and for its
 * moderators to set.
 */
function isDue({ userNid }: RedactionSweep, { pairNid: memberPair }: StoredEvent) {
  return ({ senderNid, pairNid, redactedBy }: EventOutline): boolean =>
    senderNid === userNid && redactedBy === null && (pairNid === null || pairNid === memberPair);
}
