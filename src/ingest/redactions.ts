import { powerLevelsOf } from "../protocol/auth/power-levels.ts";
import type { EventId } from "../protocol/identifiers.ts";
import type { RoomEvent } from "../protocol/pdu.ts";
import { redactContent } from "../protocol/redaction.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { Room } from "../state/room-index.ts";
import type { StateSnapshots } from "../state/state-snapshots.ts";
import type { AppliedRedaction, EventEffects, LateRedaction } from "../storage/commits.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { EventStore } from "../storage/events.ts";
import type { Authorisation, StateLookup } from "./authorisation.ts";
import type { Batch } from "./batch.ts";
import { redactedText, takesEffect } from "./redaction.ts";

export interface RedactionsParts {
  readonly eventStore: Pick<EventStore, "nidOf" | "waitingRedactions">;
  readonly events: EventReader;
  readonly names: Pick<NameCache, "findStatePair" | "internUser">;
  readonly snapshots: Pick<StateSnapshots, "get">;
  readonly authorisation: Authorisation;
}

type RedactionEffects = Omit<EventEffects, "relation" | "stickyUntilTs">;

/** MSC4293, under its unstable name. */
const redactEventsKey = "org.matrix.msc4293.redact_events";

/** Finds out what redactions do, be it that they come after what they redact or, from other servers, before it. */
export class Redactions {
  readonly #parts: RedactionsParts;

  constructor(parts: RedactionsParts) {
    this.#parts = parts;
  }

  /**
   * What an event that is shown does to others, and what others that came before it do to it.
   * @param lookup the state before the event
   * @param pendingNid finds events that are on their way into storage
   */
  async effects(
    room: Room,
    event: RoomEvent,
    eventNid: number,
    lookup: StateLookup,
    pendingNid: (eventId: EventId) => number | undefined = () => undefined,
  ): Promise<RedactionEffects> {
    const redaction = await this.of(room, event, lookup, pendingNid);
    return {
      redaction,
      lateRedaction: await this.waitingFor(room, event, eventNid),
      awaitedTarget: redaction ? undefined : event.redacts,
      redactsAllOf: await this.sweptBy(room, event, lookup),
    };
  }

  /**
   * What a redaction does to an event that is here.
   * @param lookup the state before the redaction
   * @param pendingNid finds events that are on their way into storage
   */
  async of(
    room: Room,
    event: RoomEvent,
    lookup: StateLookup,
    pendingNid: (eventId: EventId) => number | undefined = () => undefined,
  ): Promise<AppliedRedaction | undefined> {
    if (event.redacts === undefined) return undefined;
    const pending = pendingNid(event.redacts as EventId);
    const targetNid = pending ?? (await this.#parts.eventStore.nidOf(event.redacts));
    if (targetNid === undefined) return undefined;
    if (pending === undefined) {
      const stored = await this.#parts.events.stored(targetNid);
      if (stored.roomNid !== room.roomNid || stored.redactedBy !== null) return undefined;
    }
    return this.#applied(room, event, lookup, targetNid);
  }

  /** The redaction that has waited for an event, if one has. */
  async waitingFor(room: Room, event: RoomEvent, eventNid: number): Promise<LateRedaction | undefined> {
    for (const redactionNid of await this.#parts.eventStore.waitingRedactions(event.eventId)) {
      const { roomNid, stateBefore } = await this.#parts.events.stored(redactionNid);
      if (roomNid !== room.roomNid || stateBefore === null) continue;
      const redaction = await this.#parts.events.roomEvent(redactionNid);
      const lookup = (pair: number) => this.#parts.snapshots.get(stateBefore, pair);
      const applied = await this.#applied(room, redaction, lookup, eventNid);
      if (applied) return { ...applied, redactionNid };
    }
    return undefined;
  }

  /**
   * The user of whom a ban or kick redacts everything (MSC4293), if it does and may.
   * @param lookup the state before the event
   */
  async sweptBy(
    { version }: Pick<Room, "version">,
    { type, stateKey, sender, content }: RoomEvent,
    lookup: StateLookup,
  ): Promise<number | undefined> {
    if (type !== "m.room.member" || stateKey === undefined || content[redactEventsKey] !== true)
      return undefined;
    const isRemoval =
      content["membership"] === "ban" || (content["membership"] === "leave" && sender !== stateKey);
    const { authorisation, names } = this.#parts;
    const create = await authorisation.stateEvent(lookup, "m.room.create", "");
    if (!isRemoval || !create) return undefined;
    const powerLevels = await authorisation.stateEvent(lookup, "m.room.power_levels", "");
    const levels = powerLevelsOf(version, create, powerLevels);
    // "A power level higher than or equal to redact and events["m.room.redaction"]."
    const needed = Math.max(levels.redact, levels.eventLevel("m.room.redaction", false));
    return levels.userLevel(sender) >= needed ? names.internUser(stateKey) : undefined;
  }

  /** What becomes of what a room tells of itself when a redaction takes the content of a part of its state away. */
  async noteInSummary({ draft, summary }: Batch, { targetNid }: AppliedRedaction): Promise<void> {
    const { type, stateKey, content, sender } = await this.#parts.events.roomEvent(targetNid);
    if (stateKey === undefined) return;
    const pairNid = await this.#parts.names.findStatePair(type, stateKey);
    if (pairNid === undefined || (await draft.get(pairNid)) !== targetNid) return;
    const left = redactContent(draft.room.version, type, content);
    summary.add({ type, stateKey, content: left, sender }, targetNid);
  }

  async #applied(
    { version }: Room,
    redaction: RoomEvent,
    lookup: StateLookup,
    targetNid: number,
  ): Promise<AppliedRedaction | undefined> {
    const { authorisation, events } = this.#parts;
    const create = await authorisation.stateEvent(lookup, "m.room.create", "");
    const powerLevels = await authorisation.stateEvent(lookup, "m.room.power_levels", "");
    const target = await events.roomEvent(targetNid);
    if (!create || !takesEffect(version, redaction, target, create, powerLevels)) return undefined;
    return redactedText(version, targetNid, target);
  }
}
