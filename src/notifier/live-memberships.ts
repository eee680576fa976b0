import type { MembershipChange } from "../storage/streams.ts";

/** Users whose joined rooms are kept in memory; those asked for least recently go first. */
const defaultMaxLiveUsers = 20_000;
/** So many are looked at to find some that may go: with more people waiting than may be kept, there is none. */
const maxCandidates = 16;

const nobody: ReadonlySet<number> = new Set();

/**
 * The joined rooms of users who are active, and by room who of them is in it. It follows every commit before the
 * commit's position becomes visible, so it is exact at any position that a reader knows.
 */
export class LiveMemberships {
  readonly #readJoinedRooms: (userNid: number) => Promise<readonly number[]>;
  /** In order of last use. A set is never changed, so that readers need no copy: other rooms are another set. */
  readonly #rooms = new Map<number, ReadonlySet<number>>();
  readonly #members = new Map<number, Set<number>>();
  readonly #loading = new Map<
    number,
    { readonly done: Promise<ReadonlySet<number>>; changes: MembershipChange[] }
  >();

  /** Users who wait for changes: nobody would wake them if their rooms were forgotten. */
  readonly #held = new Set<number>();
  readonly #maxLiveUsers: number;

  constructor(
    readJoinedRooms: (userNid: number) => Promise<readonly number[]>,
    maxLiveUsers = defaultMaxLiveUsers,
  ) {
    this.#readJoinedRooms = readJoinedRooms;
    this.#maxLiveUsers = maxLiveUsers;
  }

  /** Keeps a user's rooms in memory, if they are there, until the user is released. */
  hold(userNid: number): void {
    this.#held.add(userNid);
  }

  release(userNid: number): void {
    this.#held.delete(userNid);
  }

  /** The rooms that a user is joined to, read from storage unless they are known: those of the moment, which stay so. */
  load(userNid: number): Promise<ReadonlySet<number>> {
    const known = this.#rooms.get(userNid);
    if (known) {
      this.#rooms.delete(userNid);
      this.#rooms.set(userNid, known);
      return Promise.resolve(known);
    }
    const loading = this.#loading.get(userNid);
    if (loading) return loading.done;
    const changes: MembershipChange[] = [];
    const done = this.#read(userNid, changes);
    this.#loading.set(userNid, { done, changes });
    return done;
  }

  /** A user's joined rooms of the moment, if they have been loaded. */
  roomsOf(userNid: number): ReadonlySet<number> | undefined {
    return this.#rooms.get(userNid);
  }

  /** Those members of a room whose rooms are loaded: everybody who may be waiting is among them. */
  liveMembersOf(roomNid: number): ReadonlySet<number> {
    return this.#members.get(roomNid) ?? nobody;
  }

  apply(userNid: number, change: MembershipChange): void {
    this.#loading.get(userNid)?.changes.push(change);
    const before = this.#rooms.get(userNid);
    if (!before || before.has(change.roomNid) === change.joined) return;
    const rooms = new Set(before);
    if (change.joined) rooms.add(change.roomNid);
    else rooms.delete(change.roomNid);
    // The user keeps their place in the order of last use.
    this.#rooms.set(userNid, rooms);
    if (change.joined) this.#enter(userNid, change.roomNid);
    else this.#leave(userNid, change.roomNid);
  }

  async #read(userNid: number, changes: readonly MembershipChange[]): Promise<ReadonlySet<number>> {
    try {
      const rooms = new Set(await this.#readJoinedRooms(userNid));
      // Committed while the rooms were being read: they may or may not be part of what was read.
      for (const { joined: isJoined, roomNid } of changes) {
        if (isJoined) rooms.add(roomNid);
        else rooms.delete(roomNid);
      }
      this.#evict();
      this.#rooms.set(userNid, rooms);
      for (const roomNid of rooms) this.#enter(userNid, roomNid);
      return rooms;
    } finally {
      this.#loading.delete(userNid);
    }
  }

  #enter(userNid: number, roomNid: number): void {
    const members = this.#members.get(roomNid);
    if (members) members.add(userNid);
    else this.#members.set(roomNid, new Set([userNid]));
  }

  #leave(userNid: number, roomNid: number): void {
    const members = this.#members.get(roomNid);
    members?.delete(userNid);
    if (members?.size === 0) this.#members.delete(roomNid);
  }

  #evict(): void {
    for (let candidates = 0; candidates < maxCandidates; candidates++) {
      const [oldest] = this.#rooms;
      if (!oldest || this.#rooms.size < this.#maxLiveUsers) return;
      const [userNid, rooms] = oldest;
      this.#rooms.delete(userNid);
      if (this.#held.has(userNid)) this.#rooms.set(userNid, rooms);
      else for (const roomNid of rooms) this.#leave(userNid, roomNid);
    }
  }
}
