import { boundedCache } from "../cache/bounded-cache.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { StoredEvent } from "../storage/events.ts";
import type { BundledRelation, RelationStore } from "../storage/relations.ts";
import type { StreamChange } from "../storage/streams.ts";
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

type Relations = readonly BundledRelation[];

interface Parent {
  readonly parent: StoredEvent;
  readonly relations: Relations;
}

type Children = ReadonlyMap<string, Relations>;
const none: Relations = [];
const nothing: ReadonlyMap<string, Aggregation> = new Map();

/** The newest events of busy rooms are asked for by everybody who is in them. */
const cachedRooms = 5_000;
const maxEventsOfRoom = 500;
/** Edits looked at until one is valid and visible. */
const maxCandidates = 10;
const maxReferences = 1000;

/** Sums up the children of events. */
export class Aggregations {
  readonly #relations: RelationStore;
  readonly #events: EventReader;
  /** By room and event. A room's are forgotten as a whole when a relation comes or goes. */
  readonly #children = boundedCache<number, Map<string, Relations>>(cachedRooms);

  constructor(relations: RelationStore, events: EventReader) {
    this.#relations = relations;
    this.#events = events;
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, nid, redactedNid, isBundled } of changes) {
      if (stream === "timeline" && (isBundled || redactedNid !== undefined)) this.#children.delete(nid);
    }
  };

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
    const parents = await this.#parents(events);
    if (parents.length === 0) return nothing;
    const found = new Map<string, Aggregation>();
    for (const { parent, relations } of parents) {
      for (const relation of relations) {
        const part = await this.#part(view, parent, relation, upTo);
        if (part) found.set(parent.eventId, { ...found.get(parent.eventId), ...part });
      }
    }
    return found;
  }

  /** Whether any of some events of one room has children. */
  async areAny(events: readonly StoredEvent[]): Promise<boolean> {
    return (await this.#parents(events)).length > 0;
  }

  /** Those of some events of one room that have children. */
  async #parents(events: readonly StoredEvent[]): Promise<readonly Parent[]> {
    // "State events do not currently receive bundled aggregations."
    const messages = events.filter(({ pairNid }) => pairNid === null);
    const [first] = messages;
    if (!first) return [];
    const children = await this.#childrenOf(first.roomNid, messages);
    return messages.flatMap((parent) => {
      const relations = children.get(parent.eventId) ?? none;
      return relations.length === 0 ? [] : [{ parent, relations }];
    });
  }

  /** By which relations events of a room have children; it knows of these events at least. */
  async #childrenOf(roomNid: number, events: readonly StoredEvent[]): Promise<Children> {
    const known = this.#children.get(roomNid);
    const children = known && known.size < maxEventsOfRoom ? known : new Map<string, Relations>();
    if (children !== known) this.#children.set(roomNid, children);
    const unknown = events.filter(({ eventId }) => !children.has(eventId)).map(({ eventId }) => eventId);
    if (unknown.length === 0) return children;
    const targets = await this.#relations.bundledTargets(roomNid, unknown);
    const byTarget = Map.groupBy(targets, ({ targetId }) => targetId);
    for (const eventId of unknown) {
      children.set(eventId, byTarget.get(eventId)?.map(({ relation }) => relation) ?? none);
    }
    return children;
  }

  async #part(
    view: RoomView,
    parent: StoredEvent,
    relation: BundledRelation,
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
    const { roomNid, eventId } = parent;
    const nids = await this.#relations.newestReplies(roomNid, eventId, upTo, maxCandidates);
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
