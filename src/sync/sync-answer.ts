import type { DeviceKeyStore } from "../storage/device-keys.ts";
import { isBehind, syncToken } from "../timeline/stream-token.ts";
import type { PossibleChanges } from "./possible-changes.ts";
import type { ProfileSections } from "./profile-section.ts";
import type { RoomSections, RoomsSection } from "./room-sections.ts";
import type { AccountDataChanges, AccountDataStream } from "./streams/account-data.ts";
import type { DeviceListStream } from "./streams/device-lists.ts";
import type { PresenceStream } from "./streams/presence.ts";
import type { ToDeviceMessages, ToDeviceStream } from "./streams/to-device.ts";
import type { JsonPieces, SyncRound } from "./sync-request.ts";

/** An answer to /sync, and what has to be known of it. */
export interface SyncAnswer {
  /** A JSON object. */
  readonly pieces: JsonPieces;
  /** Nothing in it is news. */
  readonly isEmpty: boolean;
  /** The position that its token names. */
  readonly upTo: number;
  /** What a client that loads members lazily gets with it, by room and state pair. */
  readonly sentMembers: ReadonlyMap<number, Map<number, number>>;
}

export interface SyncAnswerParts {
  readonly rooms: RoomSections;
  readonly accountData: AccountDataStream;
  readonly toDevice: ToDeviceStream;
  readonly deviceLists: DeviceListStream;
  readonly oneTimeKeys: Pick<DeviceKeyStore, "oneTimeKeyStatus">;
  readonly presence: PresenceStream | undefined;
  readonly profiles: ProfileSections;
}

const noRooms: Omit<RoomsSection, "stickyUpTo"> = {
  pieces: [],
  sentMembers: new Map(),
  newlyJoined: new Set(),
};
const noAccountData: AccountDataChanges = { global: [], rooms: new Map() };

/** Puts together the answers of /sync out of all that can be synced. */
export class SyncAnswers {
  readonly #parts: SyncAnswerParts;

  constructor(parts: SyncAnswerParts) {
    this.#parts = parts;
  }

  /** @param joined the rooms that the user is joined to at the round's position */
  async make(round: SyncRound, changes: PossibleChanges, joined: ReadonlySet<number>): Promise<SyncAnswer> {
    const { request, upTo } = round;
    // In a first sync no room is newly joined: who is there is read while the rooms are put together.
    const [{ accountData, rooms }, presenceOfAll] = await Promise.all([
      this.#rooms(round, changes, joined),
      request.since === undefined ? this.#presence(round, changes, noRooms.newlyJoined) : undefined,
    ]);
    const presence = presenceOfAll ?? (await this.#presence(round, changes, rooms.newlyJoined));
    const toDevice = await this.#toDevice(round, changes);
    const deviceLists = await this.#deviceLists(round, changes);
    const profiles = await this.#parts.profiles.read(round, {
      changes,
      joined,
      newlyJoined: rooms.newlyJoined,
      left: deviceLists?.left ?? [],
    });
    const isEmpty =
      rooms.pieces.length === 0 &&
      accountData.global.length === 0 &&
      presence.length === 0 &&
      toDevice.events.length === 0 &&
      deviceLists === undefined &&
      profiles === undefined &&
      !changes.isNamed("oneTimeKeys");
    const pieces: JsonPieces = [
      `{"next_batch":"${syncToken({ position: upTo, toDevice: toDevice.upTo, sticky: rooms.stickyUpTo })}"`,
    ];
    if (profiles !== undefined) pieces.push(`,"org.matrix.msc4429.users":${profiles}`);
    if (accountData.global.length > 0) pieces.push(eventsMember("account_data", accountData.global));
    if (presence.length > 0) pieces.push(eventsMember("presence", presence));
    if (toDevice.events.length > 0) pieces.push(eventsMember("to_device", toDevice.events));
    if (deviceLists) pieces.push(`,"device_lists":${JSON.stringify(deviceLists)}`);
    pieces.push(await this.#keyCounts(round), ...rooms.pieces, "}");
    return { pieces, isEmpty, upTo, sentMembers: rooms.sentMembers };
  }

  async #rooms(round: SyncRound, changes: PossibleChanges, joined: ReadonlySet<number>) {
    const { request, upTo } = round;
    const accountData =
      request.since === undefined || changes.has("accountData")
        ? await this.#parts.accountData.changes(request, upTo)
        : noAccountData;
    const rooms =
      changes.isEmpty && !request.fullState && !isBehind(request.since)
        ? { ...noRooms, stickyUpTo: upTo }
        : await this.#parts.rooms.read(round, changes, joined, accountData.rooms);
    return { accountData, rooms };
  }

  async #presence(
    { request, upTo }: SyncRound,
    changes: PossibleChanges,
    newRooms: ReadonlySet<number>,
  ): Promise<readonly string[]> {
    const { presence } = this.#parts;
    const isNews = request.since === undefined || changes.has("presence") || newRooms.size > 0;
    if (!presence || !isNews) return [];
    return presence.events({
      device: request.device,
      userNids: request.since && changes.of("presence"),
      newRooms,
      since: request.since?.position,
      upTo,
      filter: request.filter.presence,
    });
  }

  async #toDevice({ request, upTo }: SyncRound, changes: PossibleChanges): Promise<ToDeviceMessages> {
    const { since, device } = request;
    const after = since?.toDevice ?? 0;
    const hasAll = since !== undefined && after >= since.position;
    if (hasAll && !changes.has("toDevice")) return { events: [], upTo };
    return this.#parts.toDevice.messages(device, after, upTo);
  }

  async #deviceLists({ request }: SyncRound, changes: PossibleChanges) {
    const { since, device } = request;
    const mayHaveChanged =
      changes.memberMoves ||
      changes.has("deviceLists") ||
      changes.has("userSignatures") ||
      changes.has("membership");
    if (!since || !mayHaveChanged) return undefined;
    const section = await this.#parts.deviceLists.changes(device.userNid, since.position);
    return section.changed.length === 0 && section.left.length === 0 ? undefined : section;
  }

  /** Both are always there: a client takes a missing one for a sign of a server that does not know it. */
  async #keyCounts({ request: { device } }: SyncRound): Promise<string> {
    const status = await this.#parts.oneTimeKeys.oneTimeKeyStatus(device.userNid, device.deviceId);
    const counts = JSON.stringify({ signed_curve25519: 0, ...status.counts });
    const unused = JSON.stringify(status.unusedFallbackTypes);
    return (
      `,"device_one_time_keys_count":${counts},"device_unused_fallback_key_types":${unused}` +
      `,"org.matrix.msc2732.device_unused_fallback_key_types":${unused}`
    );
  }
}

function eventsMember(name: string, events: readonly string[]): string {
  return `,"${name}":{"events":[${events.join(",")}]}`;
}
