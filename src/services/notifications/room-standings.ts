import type { CurrentState } from "../../state/current-state.ts";
import type { RoomIndex } from "../../state/room-index.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { ReceiptStore } from "../../storage/receipts.ts";
import { ReadMarks } from "./read-marks.ts";

/** What decides about events in a room for one user, beside their push rules. */
export interface RoomStanding {
  readonly marks: ReadMarks;
  /** The user's display name in the room. */
  readonly displayName: string | undefined;
}

export interface RoomStandingsParts {
  readonly memberships: Pick<MembershipStore, "at">;
  readonly receipts: Pick<ReceiptStore, "ofUser">;
  readonly state: Pick<CurrentState, "event">;
  readonly rooms: Pick<RoomIndex, "byNid">;
  readonly names: Pick<NameCache, "userId">;
}

const now = Number.MAX_SAFE_INTEGER;

/** Reads how users stand in rooms. */
export class RoomStandings {
  readonly #parts: RoomStandingsParts;

  constructor(parts: RoomStandingsParts) {
    this.#parts = parts;
  }

  /** How a user stands in a room; `undefined` for whoever is not joined to it. */
  async of(userNid: number, roomNid: number): Promise<RoomStanding | undefined> {
    const joined = await this.#parts.memberships.at(userNid, roomNid, now);
    if (joined?.membership !== "join") return undefined;
    const receipts = await this.#parts.receipts.ofUser(userNid, roomNid);
    return {
      marks: new ReadMarks(joined.position, receipts),
      displayName: await this.#displayName(userNid, roomNid),
    };
  }

  async #displayName(userNid: number, roomNid: number): Promise<string | undefined> {
    const room = await this.#parts.rooms.byNid(roomNid);
    const userId = await this.#parts.names.userId(userNid);
    const member = await this.#parts.state.event(room, "m.room.member", userId);
    const name = member?.content["displayname"];
    return typeof name === "string" ? name : undefined;
  }
}
