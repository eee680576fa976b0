import type { RoomIndex } from "../../state/room-index.ts";
import type { AccountDataEvent, AccountDataEvents, AccountDataService } from "../../services/account-data.ts";
import type { EventFilter } from "../event-filter.ts";
import type { SyncDevice, SyncRequest } from "../sync-request.ts";

export interface AccountDataChanges {
  /** Events as JSON. */
  readonly global: readonly string[];
  /** The same by room. */
  readonly rooms: ReadonlyMap<number, readonly string[]>;
}

/** `account_data` of /sync, of the user and of rooms (client-server API, "Client Config"). */
export class AccountDataStream {
  readonly #accountData: AccountDataService;
  readonly #rooms: RoomIndex;

  constructor(accountData: AccountDataService, rooms: RoomIndex) {
    this.#accountData = accountData;
    this.#rooms = rooms;
  }

  async changes({ device, since, filter }: SyncRequest, upTo: number): Promise<AccountDataChanges> {
    const { global, rooms } = await this.#read(device, since?.position, upTo);
    const byRoom = new Map<number, readonly string[]>();
    for (const [roomId, events] of rooms) {
      // Clients may keep notes on rooms that this server does not know.
      const room = filter.roomAccountData.matchesRoom(roomId) ? await this.#rooms.find(roomId) : undefined;
      const texts = eventTexts(events, filter.roomAccountData);
      if (room && texts.length > 0) byRoom.set(room.roomNid, texts);
    }
    return { global: eventTexts(global, filter.accountData), rooms: byRoom };
  }

  #read(device: SyncDevice, since: number | undefined, upTo: number): Promise<AccountDataEvents> {
    if (since === undefined) return this.#accountData.all(device);
    return this.#accountData.changedBetween(device, since, upTo);
  }

  /** What a user keeps on a room that is new to them: it may have been there for long. */
  async ofRoom({ device, filter }: SyncRequest, roomId: string): Promise<readonly string[]> {
    if (!filter.roomAccountData.matchesRoom(roomId)) return [];
    const { rooms } = await this.#accountData.all(device);
    return eventTexts(rooms.get(roomId) ?? [], filter.roomAccountData);
  }
}

function eventTexts(events: readonly AccountDataEvent[], filter: EventFilter): string[] {
  return events
    .filter(({ type }) => filter.matches({ type }))
    .map(({ type, content }) => `{"type":${JSON.stringify(type)},"content":${content}}`);
}
