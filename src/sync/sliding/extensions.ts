import type { AccountDataService } from "../../services/account-data.ts";
import type { DeviceKeyStore } from "../../storage/device-keys.ts";
import { streamToken } from "../../timeline/stream-token.ts";
import type { PossibleChanges } from "../possible-changes.ts";
import type { DeviceListStream } from "../streams/device-lists.ts";
import type { ThreadSubscriptionStream } from "../streams/thread-subscriptions.ts";
import type { ToDeviceStream } from "../streams/to-device.ts";
import { accountDataTexts, type AnswerRooms, type ExtensionRooms } from "./extension-rooms.ts";
import type { ProfileExtension } from "./profile-extension.ts";
import type { ExtensionStickyEvents } from "./extension-sticky-events.ts";
import type { SlidingRound } from "./sliding-request.ts";

/** The `extensions` of an answer. */
export interface ExtensionsResult {
  /** A JSON object. */
  readonly text: string;
  /** Nothing in it is news. */
  readonly isEmpty: boolean;
}

export interface ExtensionParts {
  readonly rooms: ExtensionRooms;
  readonly accountData: AccountDataService;
  readonly toDevice: ToDeviceStream;
  readonly deviceLists: DeviceListStream;
  readonly oneTimeKeys: Pick<DeviceKeyStore, "oneTimeKeyStatus">;
  readonly threadSubscriptions: ThreadSubscriptionStream;
  readonly profiles: ProfileExtension;
  readonly stickyEvents: ExtensionStickyEvents;
}

interface Part {
  /** A JSON value. */
  readonly text: string;
  readonly isNews: boolean;
}

/** Makes the `extensions` of answers (MSC4186, "Extensions"). */
export class ExtensionSections {
  readonly #parts: ExtensionParts;

  constructor(parts: ExtensionParts) {
    this.#parts = parts;
  }

  async read(round: SlidingRound, rooms: AnswerRooms): Promise<ExtensionsResult> {
    const { names } = round.request.extensions;
    const parts: [name: string, part: Part | undefined][] = [
      [names.to_device ?? "to_device", await this.#toDevice(round)],
      [names.e2ee ?? "e2ee", await this.#e2ee(round, rooms.changes)],
      ["account_data", await this.#accountData(round, rooms)],
      ["receipts", await this.#ephemeral(round, rooms, "receipts")],
      [names.typing ?? "typing", await this.#ephemeral(round, rooms, "typing")],
      ["org.matrix.msc4262.profiles", await this.#profiles(round, rooms)],
      ["org.matrix.msc4354.sticky_events", await this.#stickyEvents(round, rooms)],
      ["io.element.msc4308.thread_subscriptions", await this.#threadSubscriptions(round, rooms)],
    ];
    const texts = parts.flatMap(([name, part]) => (part ? [`"${name}":${part.text}`] : []));
    return { text: `{${texts.join(",")}}`, isEmpty: !parts.some(([, part]) => part?.isNews) };
  }

  /** MSC3885. */
  async #toDevice({ request, upTo }: SlidingRound): Promise<Part | undefined> {
    const { toDevice } = request.extensions;
    if (!toDevice) return undefined;
    const { since, limit } = toDevice;
    const messages = await this.#parts.toDevice.messages(request.device, since, upTo, limit);
    const token = JSON.stringify(streamToken(messages.upTo));
    return {
      text: `{"next_batch":${token},"events":[${messages.events.join(",")}]}`,
      isNews: messages.events.length > 0,
    };
  }

  /** MSC3884. The counts are always there: clients take a missing one for zero. */
  async #e2ee({ request, since }: SlidingRound, changes: PossibleChanges): Promise<Part | undefined> {
    if (!request.extensions.e2ee) return undefined;
    const { userNid, deviceId } = request.device;
    const status = await this.#parts.oneTimeKeys.oneTimeKeyStatus(userNid, deviceId);
    const lists = since === undefined ? undefined : await this.#deviceLists(userNid, since, changes);
    return {
      text: JSON.stringify({
        device_one_time_keys_count: { signed_curve25519: 0, ...status.counts },
        device_unused_fallback_key_types: status.unusedFallbackTypes,
        ...(lists && { device_lists: lists }),
      }),
      isNews: since === undefined || lists !== undefined || changes.isNamed("oneTimeKeys"),
    };
  }

  async #deviceLists(userNid: number, since: number, changes: PossibleChanges) {
    const mayHaveChanged =
      changes.memberMoves ||
      changes.has("deviceLists") ||
      changes.has("userSignatures") ||
      changes.has("membership");
    if (!mayHaveChanged) return undefined;
    const lists = await this.#parts.deviceLists.changes(userNid, since);
    return lists.changed.length === 0 && lists.left.length === 0 ? undefined : lists;
  }

  /** MSC3959. */
  async #accountData(round: SlidingRound, rooms: AnswerRooms): Promise<Part | undefined> {
    const scope = round.request.extensions.accountData;
    if (!scope || rooms.isQuiet) return undefined;
    const global = await this.#globalAccountData(round, rooms);
    const byRoom = await this.#parts.rooms.accountData(round, rooms, scope);
    if (global === undefined && byRoom.size === 0) return undefined;
    const members = [`"rooms":${membersOf(byRoom)}`];
    if (global !== undefined) members.unshift(`"global":${global}`);
    return { text: `{${members.join(",")}}`, isNews: true };
  }

  async #globalAccountData(
    { request: { device }, since, upTo }: SlidingRound,
    { state, changes }: AnswerRooms,
  ): Promise<string | undefined> {
    const { accountData } = this.#parts;
    const isKnown = since !== undefined && state.hasAccountData;
    if (!isKnown) return accountDataTexts((await accountData.all(device)).global);
    if (!changes.has("accountData")) return undefined;
    const { global } = await accountData.changedBetween(device, since, upTo);
    return global.length === 0 ? undefined : accountDataTexts(global);
  }

  /** MSC3960, MSC3961. */
  async #ephemeral(
    round: SlidingRound,
    rooms: AnswerRooms,
    name: "receipts" | "typing",
  ): Promise<Part | undefined> {
    const scope = round.request.extensions[name];
    if (rooms.isQuiet) return undefined;
    const byRoom = scope && (await this.#parts.rooms.ephemeral(round, rooms, name, scope));
    if (!byRoom || byRoom.size === 0) return undefined;
    return { text: `{"rooms":${membersOf(byRoom)}}`, isNews: true };
  }

  async #profiles(round: SlidingRound, rooms: AnswerRooms): Promise<Part | undefined> {
    const text = await this.#parts.profiles.read(round, rooms);
    return text === undefined ? undefined : { text, isNews: true };
  }

  /** MSC4480. */
  async #stickyEvents(
    { request, reader, upTo }: SlidingRound,
    rooms: AnswerRooms,
  ): Promise<Part | undefined> {
    const wanted = request.extensions.stickyEvents;
    const found = wanted && (await this.#parts.stickyEvents.read(reader, rooms, { ...wanted, upTo }));
    if (!found) return undefined;
    const token = JSON.stringify(streamToken(found.upTo));
    return {
      text: `{"next_batch":${token},"rooms":${membersOf(found.byRoom)}}`,
      isNews: found.byRoom.size > 0,
    };
  }

  /** MSC4308. */
  async #threadSubscriptions(
    { request: { device, extensions }, since, upTo }: SlidingRound,
    { state, changes }: AnswerRooms,
  ): Promise<Part | undefined> {
    const { threadSubscriptions: wanted } = extensions;
    if (!wanted) return undefined;
    const after = state.hasThreadSubscriptions ? since : undefined;
    if (after !== undefined && !changes.has("threadSubscriptions")) return undefined;
    const page = await this.#parts.threadSubscriptions.changes(device.userNid, after, upTo, wanted.limit);
    if (page.isEmpty) return undefined;
    const { subscribed, unsubscribed, next } = page;
    const text = JSON.stringify({
      ...(Object.keys(subscribed).length > 0 && { subscribed }),
      ...(Object.keys(unsubscribed).length > 0 && { unsubscribed }),
      ...(next !== undefined && { prev_batch: streamToken(next) }),
    });
    return { text, isNews: true };
  }
}

/** JSON values by room ID as a JSON object. */
function membersOf(byRoom: ReadonlyMap<string, string>): string {
  return `{${[...byRoom].map(([roomId, text]) => `${JSON.stringify(roomId)}:${text}`).join(",")}}`;
}
