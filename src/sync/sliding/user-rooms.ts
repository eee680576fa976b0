import { LRUCache } from "lru-cache";
import type { LiveMemberships } from "../../notifier/live-memberships.ts";
import type { Notifier } from "../../notifier/notifier.ts";
import { isJsonObject } from "../../protocol/json.ts";
import { type AccountDataEntry, type AccountDataStore, globalScope } from "../../storage/account-data.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { RoomFacts, SlidingSyncStore, UserRoomRow } from "../../storage/sliding-sync.ts";
import type { StreamChange } from "../../storage/streams.ts";

/** Bounds memory: a room costs about 200 bytes. */
const cachedRooms = 500_000;

/** A room in a user's list. */
export interface UserRoom extends Omit<UserRoomRow, "facts"> {
  facts: RoomFacts;
  /** What rooms are sorted by: position of the newest event, or of the membership of somebody who is not joined. */
  activity: number;
}

/** What a user notes about rooms: which are direct chats, and their tags. By room ID. */
export interface RoomLabels {
  readonly direct: ReadonlySet<string>;
  readonly tags: ReadonlyMap<string, ReadonlySet<string>>;
}

const noLabels: RoomLabels = { direct: new Set(), tags: new Map() };

/** All rooms of one user, as of one position. */
export class UserRoomList {
  /** Those with the newest activity first. */
  rooms: readonly UserRoom[];
  readonly byNid: ReadonlyMap<number, UserRoom>;
  readonly byId: ReadonlyMap<string, UserRoom>;
  readonly joined: ReadonlySet<number>;
  /** The IDs of those who have invited the user. */
  readonly inviters: ReadonlyMap<number, string>;
  upTo: number;
  /** Grows with every change of the list or of what it is filtered by. */
  version = 0;
  /** Rooms whose facts may have changed. */
  readonly outdated = new Set<number>();
  labels = noLabels;
  /** Up to where the labels are known. */
  labelledUpTo: number | undefined;
  /** Position of the newest change that the labels may not have. */
  relabelledAt = 0;
  readonly #userNid: number;

  constructor(
    userNid: number,
    rows: readonly UserRoomRow[],
    upTo: number,
    inviters: ReadonlyMap<number, string>,
  ) {
    const rooms = rows.map((row) => ({
      ...row,
      activity: row.membership === "join" ? row.lastPosition : row.position,
    }));
    this.#userNid = userNid;
    this.rooms = rooms.sort(newestFirst);
    this.byNid = new Map(rooms.map((room) => [room.roomNid, room]));
    this.byId = new Map(rooms.map((room) => [room.roomId, room]));
    this.joined = new Set(
      rooms.filter(({ membership }) => membership === "join").map(({ roomNid }) => roomNid),
    );
    this.upTo = upTo;
    this.inviters = inviters;
  }

  /** Follows changes. False when the list has to be read again. */
  advance(changes: readonly StreamChange[] | undefined, upTo: number): boolean {
    if (!changes) return false;
    const moved = new Set<UserRoom>();
    for (const { stream, nid, position, senderNid } of changes) {
      if (nid === this.#userNid && stream === "membership") return false;
      if (nid === this.#userNid && stream === "accountData") this.relabelledAt = position;
      if (stream !== "timeline" || !this.joined.has(nid)) continue;
      const room = this.byNid.get(nid);
      if (!room) continue;
      room.activity = Math.max(room.activity, position);
      moved.add(room);
      // Messages say nothing of the room itself.
      if (senderNid === undefined) this.outdated.add(nid);
    }
    this.upTo = upTo;
    if (moved.size === 0) return true;
    // Whatever has moved is newer than all the others, whose order stays.
    this.rooms = [...[...moved].sort(newestFirst), ...this.rooms.filter((room) => !moved.has(room))];
    this.version += 1;
    return true;
  }

  /** Takes in account data of the user, all of it or what has changed. */
  relabel(entries: readonly AccountDataEntry[], upTo: number): void {
    this.labelledUpTo = upTo;
    const direct = entries.find(({ scope, type }) => scope === globalScope && type === "m.direct");
    const tagged = entries.filter(({ scope, type }) => scope !== globalScope && type === "m.tag");
    if (!direct && tagged.length === 0) return;
    this.labels = {
      direct: direct ? new Set(directRooms(direct.content)) : this.labels.direct,
      tags: new Map([
        ...this.labels.tags,
        ...tagged.map(({ scope, content }): [string, ReadonlySet<string>] => [scope, tagsOf(content)]),
      ]),
    };
    this.version += 1;
  }
}

/** Keeps the lists of rooms of those who sync, sorted by activity (MSC4186, "Activity ordering"). */
export class UserRooms {
  readonly #store: Pick<SlidingSyncStore, "roomsOf" | "facts">;
  readonly #accountData: Pick<AccountDataStore, "all" | "changedBetween">;
  readonly #notifier: Notifier;
  readonly #memberships: LiveMemberships;
  readonly #names: Pick<NameCache, "userId">;
  readonly #lists = new LRUCache<number, UserRoomList>({
    maxSize: cachedRooms,
    sizeCalculation: ({ rooms }) => rooms.length + 1,
  });

  constructor(
    store: Pick<SlidingSyncStore, "roomsOf" | "facts">,
    accountData: Pick<AccountDataStore, "all" | "changedBetween">,
    notifier: Notifier,
    memberships: LiveMemberships,
    names: Pick<NameCache, "userId">,
  ) {
    this.#store = store;
    this.#accountData = accountData;
    this.#notifier = notifier;
    this.#memberships = memberships;
    this.#names = names;
  }

  /** A user's rooms, exact at their `upTo`: the newest position at the time. The list goes on changing with time. */
  async of(userNid: number): Promise<UserRoomList> {
    for (;;) {
      // Whoever waits is woken by the rooms that these know of.
      await this.#memberships.load(userNid);
      const list = this.#lists.get(userNid) ?? (await this.#read(userNid));
      const { position } = this.#notifier;
      if (!list.advance(this.#notifier.changesSince(list.upTo), position)) this.#lists.delete(userNid);
      else if (list.outdated.size > 0) await this.#refresh(list);
      else if (list.labelledUpTo === undefined || list.labelledUpTo < list.relabelledAt)
        await this.#readLabels(list, userNid);
      else return list;
    }
  }

  async #read(userNid: number): Promise<UserRoomList> {
    // What is committed while storage is asked is followed afterwards, twice perhaps.
    const { position } = this.#notifier;
    const rows = await this.#store.roomsOf(userNid);
    const list = new UserRoomList(userNid, rows, position, await this.#inviters(rows));
    this.#lists.set(userNid, list);
    return list;
  }

  async #inviters(rows: readonly UserRoomRow[]): Promise<ReadonlyMap<number, string>> {
    const inviters = new Map<number, string>();
    for (const { membership, senderNid } of rows) {
      if (membership === "invite") inviters.set(senderNid, await this.#names.userId(senderNid));
    }
    return inviters;
  }

  async #refresh(list: UserRoomList): Promise<void> {
    for (const roomNid of list.outdated) {
      list.outdated.delete(roomNid);
      const facts = await this.#store.facts(roomNid);
      const room = list.byNid.get(roomNid);
      if (!room || isSame(room.facts, facts)) continue;
      room.facts = facts;
      list.version += 1;
    }
  }

  async #readLabels(list: UserRoomList, userNid: number): Promise<void> {
    const { upTo, labelledUpTo: since } = list;
    const entries =
      since === undefined
        ? await this.#accountData.all(userNid)
        : await this.#accountData.changedBetween(userNid, since, upTo);
    // Another request may have been faster, and further.
    if ((list.labelledUpTo ?? -1) < upTo) list.relabel(entries, upTo);
  }
}

function newestFirst(a: UserRoom, b: UserRoom): number {
  return b.activity - a.activity || b.roomNid - a.roomNid;
}

function isSame(a: RoomFacts, b: RoomFacts): boolean {
  return a.name === b.name && a.roomType === b.roomType && a.isEncrypted === b.isEncrypted;
}

/** Client-server API, "m.direct": lists of room IDs by user. Clients may have written anything. */
function directRooms(content: string): string[] {
  const parsed: unknown = JSON.parse(content);
  if (!isJsonObject(parsed)) return [];
  return Object.values(parsed)
    .flatMap((rooms) => (Array.isArray(rooms) ? rooms : []))
    .filter((room) => typeof room === "string");
}

function tagsOf(content: string): ReadonlySet<string> {
  const parsed: unknown = JSON.parse(content);
  const tags = isJsonObject(parsed) ? parsed["tags"] : undefined;
  return new Set(isJsonObject(tags) ? Object.keys(tags) : []);
}
