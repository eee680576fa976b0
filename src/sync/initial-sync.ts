import type { Notifier } from "../notifier/notifier.ts";
import type { AccountDataService } from "../services/account-data.ts";
import type { ReadingAccess } from "../services/reading/reading-access.ts";
import { accountDataText, type RoomSnapshots } from "../services/reading/room-snapshots.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { RoomIndex } from "../state/room-index.ts";
import type { MembershipRow, MembershipStore } from "../storage/memberships.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { Pace } from "../telemetry/pace.ts";
import type { EventPresenter } from "../timeline/event-presenter.ts";
import type { Readers } from "../timeline/readers.ts";
import type { RoomViews } from "../timeline/room-view.ts";
import { streamToken } from "../timeline/stream-token.ts";
import { everyEvent } from "./filter.ts";
import { hiddenInvites, isHidden } from "./hidden-invites.ts";
import type { PresenceStream } from "./streams/presence.ts";
import type { JsonPieces, SyncDevice } from "./sync-request.ts";

export interface InitialSyncParts {
  readonly notifier: Notifier;
  readonly memberships: MembershipStore;
  readonly rooms: RoomIndex;
  readonly events: EventReader;
  readonly access: ReadingAccess;
  readonly views: RoomViews;
  readonly readers: Readers;
  readonly snapshots: RoomSnapshots;
  readonly presenter: EventPresenter;
  readonly accountData: AccountDataService;
  readonly presence: PresenceStream | undefined;
  readonly names: Pick<NameCache, "userId">;
  readonly pace: Pace;
}

/** All of a user's rooms at once, as clients asked for it before there was /sync. */
export class InitialSync {
  readonly #parts: InitialSyncParts;

  constructor(parts: InitialSyncParts) {
    this.#parts = parts;
  }

  /**
   * @param archived whether rooms that the user has left are wanted as well
   * @returns a JSON object, in pieces
   */
  async read(device: SyncDevice, limit: number | undefined, archived: boolean): Promise<JsonPieces> {
    const { memberships, accountData, notifier } = this.#parts;
    const upTo = notifier.position;
    const data = await accountData.all(device);
    const pieces: JsonPieces = [`{"end":"${streamToken(upTo)}","rooms":[`];
    const wanted = archived ? (["join", "invite", "leave", "ban"] as const) : (["join", "invite"] as const);
    for (const row of await memberships.roomsOf(device.userNid, wanted)) {
      const room =
        row.membership === "invite"
          ? await this.#invite(device, row)
          : await this.#room(device, row, data.rooms, limit);
      if (room) pieces.push(pieces.length === 1 ? "" : ",", ...room);
      await this.#parts.pace.breathe();
    }
    pieces.push(`],"account_data":[${data.global.map(accountDataText).join(",")}],"presence":[`);
    pieces.push((await this.#presence(device, upTo)).join(","), "]}");
    return pieces;
  }

  /** `undefined` for rooms that the user has been shown the door of before they were ever in. */
  async #room(
    device: SyncDevice,
    { roomNid, membership }: MembershipRow,
    accountData: Parameters<RoomSnapshots["write"]>[2],
    limit: number | undefined,
  ): Promise<JsonPieces | undefined> {
    const { roomId } = await this.#parts.rooms.byNid(roomNid);
    const readable = await this.#parts.access.find(roomId, device);
    return readable && this.#parts.snapshots.write(readable, membership, accountData, limit);
  }

  async #invite(device: SyncDevice, { roomNid, eventNid }: MembershipRow): Promise<JsonPieces | undefined> {
    const { readers, accountData, events, views, presenter, rooms, names } = this.#parts;
    const reader = await readers.of(device);
    const invite = await events.stored(eventNid);
    const sender = await names.userId(invite.senderNid);
    if (isHidden(await hiddenInvites(reader, accountData), invite.senderNid, sender)) return undefined;
    const { roomId } = await rooms.byNid(roomNid);
    const [text] = await presenter.present(views.of(roomNid, reader), [invite], { roomId });
    return [`{"room_id":${JSON.stringify(roomId)},"membership":"invite","invite":${text}}`];
  }

  async #presence(device: SyncDevice, upTo: number): Promise<readonly string[]> {
    const { presence } = this.#parts;
    const wish = { userNids: undefined, newRooms: new Set<number>(), since: undefined, filter: everyEvent };
    return presence ? presence.events({ device, upTo, ...wish }) : [];
  }
}
