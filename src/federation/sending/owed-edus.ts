import type { ServerName } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import type { DestinationStore, OutgoingToDevice } from "../../storage/destinations.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { DeviceListNews, DeviceUpdateEdus } from "./device-update-edus.ts";
import { PendingEdus } from "./pending-edus.ts";
import type { Edu } from "./transaction-text.ts";

export interface OwedEdusParts {
  readonly store: Pick<DestinationStore, "toDevice" | "removeToDevice">;
  readonly deviceUpdates: Pick<DeviceUpdateEdus, "after">;
  readonly clock: Clock;
  /** The position up to which it is known who has to be told of users' devices. */
  readonly deviceListsRoutedUpTo: () => number;
}

/** EDUs for one transaction. */
interface TakenEdus {
  readonly deviceLists: DeviceListNews | undefined;
  readonly toDeviceNids: readonly number[];
}

/** Server-server API, "Transactions": what one may hold. */
const maxEdus = 100;
const maxToDevice = 50;
/** Servers take transactions of some 12 MiB: fifty events and these fit. */
const maxToDeviceBytes = 4 * 1024 * 1024;

/** What one other server has not been told yet besides events. */
export class OwedEdus {
  readonly #name: ServerName;
  readonly #parts: OwedEdusParts;
  readonly #pending: PendingEdus;
  #hasToDevice: boolean;
  #deviceListsUpTo: number;
  #hasDeviceLists: boolean;
  /** What is being sent. */
  #taken: TakenEdus | undefined;
  /** Whether that tells of devices. */
  #tellsDeviceLists = false;

  constructor(
    name: ServerName,
    deviceListsUpTo: number,
    waiting: { readonly hasToDevice: boolean; readonly hasDeviceLists: boolean },
    parts: OwedEdusParts,
  ) {
    this.#name = name;
    this.#deviceListsUpTo = deviceListsUpTo;
    this.#hasToDevice = waiting.hasToDevice;
    this.#hasDeviceLists = waiting.hasDeviceLists;
    this.#parts = parts;
    this.#pending = new PendingEdus(parts.clock);
  }

  get hasAny(): boolean {
    return this.#hasToDevice || this.#hasDeviceLists || this.#pending.size > 0;
  }

  /** Up to this position the server knows of users' devices. */
  get deviceListsUpTo(): number {
    const upTo = this.#deviceListsUpTo;
    return this.#knowsDeviceLists ? Math.max(upTo, this.#parts.deviceListsRoutedUpTo()) : upTo;
  }

  /** Of several with one key the last counts. */
  add(key: string, edu: Edu): void {
    this.#pending.add(key, edu);
  }

  /** To be called when a message to a device has been stored for the server. */
  addToDevice(): void {
    this.#hasToDevice = true;
  }

  /** To be called when the server has to be told what has happened to users' devices after a position. */
  addDeviceLists(after: number): void {
    const known = this.#deviceListsUpTo;
    this.#deviceListsUpTo = this.#knowsDeviceLists ? after : Math.min(known, after);
    this.#hasDeviceLists = true;
  }

  /** What is to be sent next. Either `sent` or `notSent` is to be called afterwards, also when this fails. */
  async take(): Promise<readonly Edu[]> {
    // Devices before messages of theirs.
    const deviceLists = await this.#nextDeviceLists();
    const messages = await this.#nextToDevice();
    this.#taken = { deviceLists, toDeviceNids: messages.map(({ messageNid }) => messageNid) };
    const edus: Edu[] = [
      ...(deviceLists?.edus ?? []),
      ...messages.map(({ content }) => ({
        type: "m.direct_to_device",
        content: JSON.parse(content) as JsonObject,
      })),
    ];
    edus.push(...this.#pending.take(maxEdus - edus.length));
    return edus;
  }

  /** @throws StorageError */
  async sent(): Promise<void> {
    if (!this.#taken) return;
    const { deviceLists, toDeviceNids } = this.#taken;
    if (toDeviceNids.length > 0) await this.#parts.store.removeToDevice(toDeviceNids);
    this.#taken = undefined;
    if (!deviceLists) return;
    this.#tellsDeviceLists = false;
    this.#deviceListsUpTo = Math.max(this.#deviceListsUpTo, deviceLists.upTo);
    this.#hasDeviceLists ||= deviceLists.isPart;
  }

  /** It is found again in storage; what is worth nothing once it is old is not. */
  notSent(): void {
    this.#taken = undefined;
    this.#hasDeviceLists ||= this.#tellsDeviceLists;
    this.#tellsDeviceLists = false;
    this.#hasToDevice = true;
    this.#pending.clear();
  }

  get #knowsDeviceLists(): boolean {
    return !this.#hasDeviceLists && !this.#tellsDeviceLists;
  }

  async #nextDeviceLists(): Promise<DeviceListNews | undefined> {
    if (!this.#hasDeviceLists) return undefined;
    const { deviceUpdates, deviceListsRoutedUpTo } = this.#parts;
    // Before: what changes while storage is read may not be among what is read.
    const upTo = deviceListsRoutedUpTo();
    this.#hasDeviceLists = false;
    this.#tellsDeviceLists = true;
    return deviceUpdates.after(this.#name, this.#deviceListsUpTo, upTo);
  }

  async #nextToDevice(): Promise<readonly OutgoingToDevice[]> {
    if (!this.#hasToDevice) return [];
    // Before: what is stored while storage is read may not be among what is read.
    this.#hasToDevice = false;
    const messages = await this.#parts.store.toDevice(this.#name, maxToDevice);
    if (messages.length > 0) this.#hasToDevice = true;
    let sizeBytes = 0;
    const end = messages.findIndex(
      ({ content }) => (sizeBytes += Buffer.byteLength(content)) > maxToDeviceBytes,
    );
    // One alone is sent whatever its size: it would wait for ever.
    return end === -1 ? messages : messages.slice(0, Math.max(end, 1));
  }
}
