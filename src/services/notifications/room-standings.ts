import type { EventReader } from "../../state/event-reader.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { ReceiptStore } from "../../storage/receipts.ts";
import { contentOf } from "../../timeline/client-event.ts";
import { ReadMarks } from "./read-marks.ts";

/** What decides about events in a room for one user, beside their push rules. */
export interface RoomStanding {
  readonly marks: ReadMarks;
  /** The user's display name in the room. */
  readonly displayName: string | undefined;
}

export interface RoomStandingsParts {
  readonly memberships: Pick<MembershipStore, "joinedAmong">;
  readonly receipts: Pick<ReceiptStore, "ofUser">;
  readonly events: Pick<EventReader, "storedAll">;
}

/** Reads how users stand in rooms. */
export class RoomStandings {
  readonly #parts: RoomStandingsParts;

  constructor(parts: RoomStandingsParts) {
    this.#parts = parts;
  }

  /** How a user stands in a room; `undefined` for whoever is not joined to it. */
  async of(userNid: number, roomNid: number): Promise<RoomStanding | undefined> {
    return (await this.among(userNid, [roomNid])).get(roomNid);
  }

  /** The same for those of some rooms that the user is joined to. */
  async among(userNid: number, roomNids: readonly number[]): Promise<ReadonlyMap<number, RoomStanding>> {
    const joined = await this.#parts.memberships.joinedAmong(userNid, roomNids);
    const receipts = Map.groupBy(await this.#parts.receipts.ofUser(userNid, roomNids), (row) => row.roomNid);
    const members = await this.#parts.events.storedAll(joined.map(({ eventNid }) => eventNid));
    return new Map(
      joined.map(({ roomNid, joinedAt }, index) => [
        roomNid,
        {
          marks: new ReadMarks(joinedAt, receipts.get(roomNid) ?? []),
          displayName: displayNameIn(members[index]?.common ?? ""),
        },
      ]),
    );
  }
}

function displayNameIn(memberEvent: string): string | undefined {
  const name = contentOf(memberEvent)["displayname"];
  return typeof name === "string" ? name : undefined;
}
