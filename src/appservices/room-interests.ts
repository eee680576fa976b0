import { boundedCache } from "../cache/bounded-cache.ts";
import type { AppserviceStore, RoomMembershipChange } from "../storage/appservices.ts";
import type { RoomStore } from "../storage/rooms.ts";
import type { StreamChange } from "../storage/streams.ts";
import type { Pace } from "../telemetry/pace.ts";
import type { CoveredUsers } from "./covered-users.ts";
import type { Appservice } from "./registration.ts";
import { RoomInterest } from "./room-interest.ts";

export interface RoomInterestsParts {
  readonly appservice: Appservice;
  readonly users: CoveredUsers;
  readonly store: Pick<AppserviceStore, "localMemberships">;
  readonly rooms: Pick<RoomStore, "byNid" | "aliasesOf">;
  readonly pace: Pace;
}

/** Rooms that are being written in; others are looked at again. */
const cachedRooms = 20_000;

/** What one application service hears of the rooms of this server. A room is looked at once, then followed. */
export class RoomInterests {
  readonly #parts: RoomInterestsParts;
  readonly #known = boundedCache<number, RoomInterest>(cachedRooms);
  readonly #reading = new Map<number, Promise<RoomInterest>>();

  constructor(parts: RoomInterestsParts) {
    this.#parts = parts;
  }

  /** At once where the room is remembered. */
  of(roomNid: number): RoomInterest | Promise<RoomInterest> {
    const known = this.#known.get(roomNid);
    if (known) return known;
    return this.#reading.get(roomNid) ?? this.#read(roomNid);
  }

  /** To be called when a room has got or lost an alias, after that is stored. */
  readonly forget = (roomNid: number): void => {
    this.#known.delete(roomNid);
    this.#reading.delete(roomNid);
  };

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { nid, membership } of changes) {
      if (!membership) continue;
      const isCovered = this.#parts.users.known(nid);
      if (isCovered === false) continue;
      const { roomNid, joined } = membership;
      if (isCovered && this.#known.get(roomNid)?.absorb(nid, joined)) continue;
      this.forget(roomNid);
    }
  };

  #read(roomNid: number): Promise<RoomInterest> {
    // What is written meanwhile may be missing in what is read: `forget` has taken the promise away then.
    const isCurrent = () => this.#reading.get(roomNid) === reading;
    const reading = this.#look(roomNid)
      .then((interest) => {
        if (isCurrent()) this.#known.set(roomNid, interest);
        return interest;
      })
      .finally(() => {
        if (isCurrent()) this.#reading.delete(roomNid);
      });
    this.#reading.set(roomNid, reading);
    return reading;
  }

  async #look(roomNid: number): Promise<RoomInterest> {
    const { appservice, users, store, rooms, pace } = this.#parts;
    const room = await rooms.byNid(roomNid);
    if (room && appservice.coversRoom(room.roomId)) return RoomInterest.whole();
    const aliases = await rooms.aliasesOf(roomNid);
    if (aliases.some(({ alias }) => appservice.coversAlias(alias))) return RoomInterest.whole();
    const changes = await store.localMemberships(roomNid);
    for (const { userNid, userId } of changes) {
      // The first time that a user is seen takes a look at their name.
      if (users.known(userNid) !== undefined) continue;
      users.of(userNid, userId);
      await pace.breathe();
    }
    return RoomInterest.of(changes, ({ userNid, userId }: RoomMembershipChange) => users.of(userNid, userId));
  }
}
