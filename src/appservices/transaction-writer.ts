import { isJsonObject, type JsonObject } from "../protocol/json.ts";
import type { UserId } from "../protocol/identifiers.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { AppserviceMessage, AppserviceStore } from "../storage/appservices.ts";
import type { DeviceKeyStore } from "../storage/device-keys.ts";
import type { DeviceStore } from "../storage/devices.ts";
import type { StoredEvent } from "../storage/events.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { PendingRooms } from "../sync/pending-rooms.ts";
import type { EventPresenter } from "../timeline/event-presenter.ts";
import type { ChangeWindow, ChangeWindows } from "./change-window.ts";
import type { EphemeralWriter } from "./ephemeral-writer.ts";
import type { Appservice } from "./registration.ts";

export interface TransactionWriterParts {
  readonly appservice: Appservice;
  readonly windows: Pick<ChangeWindows, "isNeighbour">;
  readonly store: Pick<AppserviceStore, "eventNidsAt" | "messagesAt">;
  readonly events: Pick<EventReader, "storedAll">;
  readonly presenter: Pick<EventPresenter, "presentToObserver">;
  readonly pending: Pick<PendingRooms, "strippedState">;
  readonly ephemeral: EphemeralWriter;
  readonly devices: Pick<DeviceStore, "list">;
  readonly deviceKeys: Pick<DeviceKeyStore, "oneTimeKeyStatus">;
  readonly names: Pick<NameCache, "userId" | "findUser">;
}

/** What is sent, but for its ID. */
export interface WrittenTransaction {
  /** JSON. */
  readonly body: string;
  /** Messages to devices that nobody but the application service reads. */
  readonly takenMessages: readonly number[];
}

/** The keys of MSC4203: the one of the proposal, and the one until it is accepted. */
const messageKeys = ["to_device", "de.sorunome.msc2409.to_device"];
const countsKeys = [
  "org.matrix.msc3202.device_one_time_keys_count",
  // As Synapse has called it.
  "org.matrix.msc3202.device_one_time_key_counts",
];
const unusedFallbackKey = "org.matrix.msc3202.device_unused_fallback_key_types";

/** Writes the transactions of one application service (application service API, "Pushing events"; MSC3202, MSC4203). */
export class TransactionWriter {
  readonly #parts: TransactionWriterParts;

  constructor(parts: TransactionWriterParts) {
    this.#parts = parts;
  }

  /** `undefined` when there is nothing to tell. */
  async write(window: ChangeWindow): Promise<WrittenTransaction | undefined> {
    const { appservice, ephemeral, store } = this.#parts;
    const messages = window.messages.length === 0 ? [] : await store.messagesAt(window.messages);
    const members = [`"events":[${(await this.#events(window)).join(",")}]`];
    const told = await ephemeral.events(window);
    if (told.length > 0) {
      for (const key of appservice.registration.ephemeralKeys) members.push(`"${key}":[${told.join(",")}]`);
    }
    if (messages.length > 0) {
      const texts = messages.map(messageText).join(",");
      for (const key of messageKeys) members.push(`"${key}":[${texts}]`);
    }
    members.push(...(await this.#deviceLists(window)), ...(await this.#keyCounts(window, messages)));
    if (members.length === 1 && window.events.length === 0) return undefined;
    const taken = messages.filter(({ userId }) => appservice.isExclusiveUser(userId as UserId));
    return { body: `{${members.join(",")}}`, takenMessages: taken.map(({ position }) => position) };
  }

  async #events({ events }: ChangeWindow): Promise<string[]> {
    if (events.length === 0) return [];
    const stored = await this.#parts.events.storedAll(await this.#parts.store.eventNidsAt(events));
    const texts: string[] = [];
    for (const event of stored) {
      texts.push(await this.#parts.presenter.presentToObserver(event, await this.#inviteState(event)));
    }
    return texts;
  }

  /** Whoever is invited cannot look into the room, and wants to know what it is. */
  async #inviteState(event: StoredEvent): Promise<string | undefined> {
    const { eventNid, pairNid, common, roomNid } = event;
    if (pairNid === null || !common.includes('"invite"')) return undefined;
    const { type, state_key: userId, content } = JSON.parse(`{${common}}`) as JsonObject;
    const isInvite = type === "m.room.member" && isJsonObject(content) && content["membership"] === "invite";
    if (!isInvite || typeof userId !== "string") return undefined;
    if (!this.#parts.appservice.coversUser(userId as UserId)) return undefined;
    return `[${await this.#parts.pending.strippedState({ roomNid, eventNid })}]`;
  }

  async #deviceLists({ changedUsers, leftUsers }: ChangeWindow): Promise<string[]> {
    const { names, windows } = this.#parts;
    const changed = await Promise.all([...changedUsers].map((nid) => names.userId(nid)));
    const left: string[] = [];
    for (const nid of leftUsers) if (!(await windows.isNeighbour(nid))) left.push(await names.userId(nid));
    if (changed.length === 0 && left.length === 0) return [];
    return [`"org.matrix.msc3202.device_lists":${JSON.stringify({ changed, left })}`];
  }

  /** For whose keys have changed, and (as MSC3202 has it) for who gets messages: those are what uses keys up. */
  async #keyCounts({ keyUsers }: ChangeWindow, messages: readonly AppserviceMessage[]): Promise<string[]> {
    const { names, devices, deviceKeys } = this.#parts;
    const users = new Set(keyUsers);
    for (const { userId } of messages) {
      const nid = await names.findUser(userId);
      if (nid !== undefined) users.add(nid);
    }
    const counts: Record<string, Record<string, object>> = {};
    const unused: Record<string, Record<string, readonly string[]>> = {};
    for (const userNid of users) {
      const userId = await names.userId(userNid);
      for (const { deviceId } of await devices.list(userNid)) {
        const status = await deviceKeys.oneTimeKeyStatus(userNid, deviceId);
        if (status.position === 0) continue;
        // Where the last one is gone its algorithm is not counted, and would not be missed.
        (counts[userId] ??= {})[deviceId] = { signed_curve25519: 0, ...status.counts };
        (unused[userId] ??= {})[deviceId] = status.unusedFallbackTypes;
      }
    }
    if (Object.keys(counts).length === 0) return [];
    const countsText = JSON.stringify(counts);
    return [
      ...countsKeys.map((key) => `"${key}":${countsText}`),
      `"${unusedFallbackKey}":${JSON.stringify(unused)}`,
    ];
  }
}

/** With the device that it is for (MSC4203). */
function messageText({ userId, deviceId, event }: AppserviceMessage): string {
  const recipient = `"to_user_id":${JSON.stringify(userId)},"to_device_id":${JSON.stringify(deviceId)}`;
  return `${event.slice(0, -1)},${recipient}}`;
}
