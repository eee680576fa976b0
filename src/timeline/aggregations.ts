import type { EventReader } from "../state/event-reader.ts";
import type { StoredEvent } from "../storage/events.ts";
import type { BundledTarget, RelationStore } from "../storage/relations.ts";
import { contentOf } from "./client-event.ts";
import type { RoomView } from "./room-view.ts";

/** What an event's children come to, for one reader (client-server API, "Aggregations of child events"). */
export interface Aggregation {
  /** The newest valid edit. */
  readonly replacement?: StoredEvent | undefined;
  readonly thread?: ThreadAggregation | undefined;
  /** Event IDs. */
  readonly references?: readonly string[] | undefined;
}

export interface ThreadAggregation {
  readonly latest: StoredEvent;
  readonly count: number;
  readonly participated: boolean;
}

/** Edits looked at until one is valid and visible. */
const maxCandidates = 10;
const maxReferences = 1000;

/** Sums up the children of events. */
export class Aggregations {
  readonly #relations: RelationStore;
  readonly #events: EventReader;

  constructor(relations: RelationStore, events: EventReader) {
    this.#relations = relations;
    this.#events = events;
  }

  /**
   * @param events of one room
   * @param upTo the last position whose children count
   * @returns by event ID; events whose children come to nothing are left out
   */
  async of(
    view: RoomView,
    events: readonly StoredEvent[],
    upTo: number,
  ): Promise<ReadonlyMap<string, Aggregation>> {
    // "State events do not currently receive bundled aggregations."
    const parents = new Map(
      events.filter(({ pairNid }) => pairNid === null).map((event) => [event.eventId, event]),
    );
    const [first] = parents.values();
    const found = new Map<string, Aggregation>();
    if (!first) return found;
    const targets = await this.#relations.bundledTargets(first.roomNid, [...parents.keys()]);
    for (const target of targets) {
      const parent = parents.get(target.targetId);
      if (!parent) continue;
      const part = await this.#part(view, parent, target.relation, upTo);
      if (part) found.set(target.targetId, { ...found.get(target.targetId), ...part });
    }
    return found;
  }

  async #part(
    view: RoomView,
    parent: StoredEvent,
    relation: BundledTarget["relation"],
    upTo: number,
  ): Promise<Aggregation | undefined> {
    if (relation === "m.replace") return this.#replacement(view, parent, upTo);
    if (relation === "m.thread") return this.#thread(view, parent, upTo);
    return this.#references(view, parent, upTo);
  }

  /** Client-server API, "Server-side aggregation of m.replace relationships". */
  async #replacement(view: RoomView, parent: StoredEvent, upTo: number): Promise<Aggregation | undefined> {
    // Nothing is bundled with an event that was redacted, and no edit can be edited.
    if (parent.redactedBy !== null || relationTypeOf(parent) === "m.replace") return undefined;
    const nids = await this.#relations.replacements({
      roomNid: parent.roomNid,
      targetId: parent.eventId,
      senderNid: parent.senderNid,
      typeNid: parent.typeNid,
      upTo,
      limit: maxCandidates,
    });
    for (const candidate of await this.#events.storedAll(nids)) {
      if (isReplacement(candidate) && (await view.maySee(candidate))) return { replacement: candidate };
    }
    return undefined;
  }

  /** Client-server API, "Server-side aggregation of m.thread relationships". */
  async #thread(view: RoomView, parent: StoredEvent, upTo: number): Promise<Aggregation | undefined> {
    const { ignored, userNid } = view.reader;
    const senders = await this.#relations.threadSenders(parent.roomNid, parent.eventId, upTo);
    const shown = senders.filter(({ senderNid }) => !ignored.has(senderNid));
    if (shown.length === 0) return undefined;
    const latest = await this.#latestReply(view, parent, Math.max(...shown.map((s) => s.latestPosition)));
    if (!latest) return undefined;
    const participated = parent.senderNid === userNid || shown.some(({ senderNid }) => senderNid === userNid);
    return { thread: { latest, count: shown.reduce((sum, { replies }) => sum + replies, 0), participated } };
  }

  async #latestReply(view: RoomView, parent: StoredEvent, upTo: number): Promise<StoredEvent | undefined> {
    const nids = await this.#relations.children({
      roomNid: parent.roomNid,
      targetId: parent.eventId,
      relation: "m.thread",
      typeNid: null,
      maxDepth: 1,
      after: Number.MIN_SAFE_INTEGER,
      upTo,
      newestFirst: true,
      limit: maxCandidates,
    });
    const [latest] = await view.visible(await this.#events.storedAll(nids));
    return latest;
  }

  /** Client-server API, "Server-side aggregation of m.reference". */
  async #references(view: RoomView, parent: StoredEvent, upTo: number): Promise<Aggregation | undefined> {
    const nids = await this.#relations.references(parent.roomNid, parent.eventId, upTo, maxReferences);
    const references = await view.visible(await this.#events.storedAll(nids));
    return references.length === 0 ? undefined : { references: references.map(({ eventId }) => eventId) };
  }
}

/** "The replacement event (once decrypted, if appropriate) must have an m.new_content property." */
function isReplacement(event: StoredEvent): boolean {
  const content = contentOf(event.common);
  return "m.new_content" in content || "ciphertext" in content;
}

function relationTypeOf(event: StoredEvent): unknown {
  if (!event.common.includes('"m.relates_to"')) return undefined;
  const relation = contentOf(event.common)["m.relates_to"];
  return typeof relation === "object" && relation !== null && "rel_type" in relation
    ? relation.rel_type
    : undefined;
}
