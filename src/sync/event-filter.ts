import type { RoomEventFilterJson } from "../api/client/filtering.ts";

/** What a filter looks at. Ephemeral events and account data have no sender. */
export interface FilteredEvent {
  readonly type: string;
  readonly sender?: string | undefined;
  /** Whether the content has a string `url`. */
  readonly containsUrl?: boolean | undefined;
  /** `rel_type` of the content's `m.relates_to`. */
  readonly relationType?: string | undefined;
}

/**
 * An `EventFilter` or `RoomEventFilter` made ready for many events (client-server API, "Filtering"). A list that is
 * absent lets everything pass; what is in a `not_` list is refused even if it is in the other.
 */
export class EventFilter {
  /** The most events that the client wants; `undefined` for the endpoint's default. */
  readonly limit: number | undefined;
  readonly lazyLoadMembers: boolean;
  readonly includeRedundantMembers: boolean;
  readonly unreadThreadNotifications: boolean;
  readonly containsUrl: boolean | undefined;
  /** Lets pass only events to which one of these senders has related another (MSC3440): the caller looks it up. */
  readonly relatedBySenders: readonly string[] | undefined;
  /** Lets pass only events to which another relates in one of these ways (MSC3440): the caller looks it up. */
  readonly relatedByTypes: readonly string[] | undefined;
  /** Every event passes `matches`. */
  readonly matchesAll: boolean;
  readonly #types: TypePatterns | undefined;
  readonly #notTypes: TypePatterns | undefined;
  readonly #senders: Selection;
  readonly #rooms: Selection;
  readonly #relationTypes: Selection;

  constructor(json: RoomEventFilterJson) {
    this.limit = json.limit;
    this.lazyLoadMembers = json.lazy_load_members ?? false;
    this.includeRedundantMembers = json.include_redundant_members ?? false;
    this.unreadThreadNotifications = json.unread_thread_notifications ?? false;
    this.containsUrl = json.contains_url;
    this.relatedBySenders = json.related_by_senders;
    this.relatedByTypes = json.related_by_rel_types;
    this.#types = json.types && new TypePatterns(json.types);
    this.#notTypes = json.not_types && new TypePatterns(json.not_types);
    this.#senders = new Selection(json.senders, json.not_senders);
    this.#rooms = new Selection(json.rooms, json.not_rooms);
    this.#relationTypes = new Selection(
      json["org.matrix.msc3874.rel_types"],
      json["org.matrix.msc3874.not_rel_types"],
    );
    this.matchesAll =
      (this.#types?.all ?? true) &&
      (this.#notTypes?.none ?? true) &&
      this.#senders.all &&
      this.#relationTypes.all &&
      this.containsUrl === undefined;
  }

  /** Whether an event passes, whatever its room. */
  matches(event: FilteredEvent): boolean {
    if (this.matchesAll) return true;
    if (!this.matchesType(event.type) || !this.#senders.has(event.sender)) return false;
    if (!this.#relationTypes.has(event.relationType)) return false;
    return this.containsUrl === undefined || this.containsUrl === (event.containsUrl ?? false);
  }

  matchesType(type: string): boolean {
    return (this.#types?.match(type) ?? true) && !(this.#notTypes?.match(type) ?? false);
  }

  /** Whether the events of a room may pass: `rooms` and `not_rooms`. */
  matchesRoom(roomId: string): boolean {
    return this.#rooms.has(roomId);
  }
}

/** A list of what is let in and one of what is kept out. */
export class Selection {
  /** Everything is let in. */
  readonly all: boolean;
  readonly #included: ReadonlySet<string> | undefined;
  readonly #excluded: ReadonlySet<string>;

  constructor(included: readonly string[] | undefined, excluded: readonly string[] = []) {
    this.#included = included && new Set(included);
    this.#excluded = new Set(excluded);
    this.all = this.#included === undefined && this.#excluded.size === 0;
  }

  /** What has no name is let in unless names are asked for. */
  has(name: string | undefined): boolean {
    if (name === undefined) return this.#included === undefined;
    return (this.#included?.has(name) ?? true) && !this.#excluded.has(name);
  }
}

/** Event types, in which `*` stands for any characters. */
class TypePatterns {
  readonly all: boolean;
  readonly none: boolean;
  readonly #exact: ReadonlySet<string>;
  readonly #wildcards: readonly (readonly string[])[];

  constructor(patterns: readonly string[]) {
    this.none = patterns.length === 0;
    this.all = patterns.some((pattern) => /^\*+$/.test(pattern));
    this.#exact = new Set(patterns.filter((pattern) => !pattern.includes("*")));
    this.#wildcards = patterns
      .filter((pattern) => pattern.includes("*"))
      .map((pattern) => pattern.split("*"));
  }

  match(type: string): boolean {
    return this.all || this.#exact.has(type) || this.#wildcards.some((parts) => hasParts(type, parts));
  }
}

/** Whether text starts with the first part, ends with the last, and has the others between, in order. */
function hasParts(text: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? "";
  const last = parts.at(-1) ?? "";
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false;
  const end = text.length - last.length;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, from);
    if (found === -1) return false;
    from = found + part.length;
  }
  return from <= end;
}
