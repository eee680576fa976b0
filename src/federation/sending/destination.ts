import type { ServerName } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import type { DestinationRow, DestinationStore, OutgoingToDevice } from "../../storage/destinations.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { type FederationClient, FederationError } from "../federation-client.ts";
import type { DeviceListNews, DeviceUpdateEdus } from "./device-update-edus.ts";
import type { Backoff } from "./backoff.ts";
import { PendingEdus } from "./pending-edus.ts";
import type { Edu, TransactionTexts } from "./transaction-text.ts";

/** What all destinations share. */
export interface DestinationParts {
  readonly client: Pick<FederationClient, "request">;
  readonly texts: Pick<TransactionTexts, "of">;
  readonly deviceUpdates: Pick<DeviceUpdateEdus, "after">;
  readonly store: Pick<DestinationStore, "unsentRooms" | "toDevice" | "removeToDevice">;
  readonly clock: Clock;
  readonly log: Logger;
  /** The position up to which events have been given to all destinations. */
  readonly routedUpTo: () => number;
  /** The position up to which it is known who has to be told of users' devices. */
  readonly deviceListsRoutedUpTo: () => number;
  readonly newTransactionId: () => string;
  /** To be called when what is to be remembered of a destination has changed. */
  readonly changed: (destination: Destination) => void;
  /** Runs work when there is a place for it. */
  readonly inTurn: (work: () => Promise<void>) => Promise<void>;
}

/** What is to be looked for in storage. */
export interface WaitingInStorage {
  /** Events. */
  readonly isBehind: boolean;
  readonly hasToDevice: boolean;
  readonly hasDeviceLists: boolean;
}

interface PendingPdu {
  readonly eventNid: number;
  readonly position: number;
  /** Whether the server is in the room no more, and so would not get the event by catching up. */
  readonly isFarewell?: boolean;
}

interface Load {
  readonly pdus: readonly PendingPdu[];
  /** Everything up to here has been sent once the load has. */
  readonly sentUpTo: number;
  /** Whether more is to be caught up with afterwards. */
  readonly staysBehind: boolean;
  readonly edus: readonly Edu[];
  readonly deviceLists: DeviceListNews | undefined;
  readonly toDeviceNids: readonly number[];
}

/** Server-server API, "Transactions": what one may hold. */
const maxPdus = 50;
const maxEdus = 100;
const maxToDevice = 50;
/** Servers take transactions of some 12 MiB: fifty events and these fit. */
const maxToDeviceBytes = 4 * 1024 * 1024;
/** More waiting events than this, and the server gets the newest of each room instead, as one that was away. */
const maxPendingPdus = 500;
const maxFarewells = 500;
/** Leaves room for the newest of other rooms. */
const farewellsAtOnce = 10;
const requestTimeoutMs = 60_000;

/** One other server: what it has not been sent yet, and the sending. */
export class Destination {
  readonly name: ServerName;
  readonly backoff: Backoff;
  readonly #parts: DestinationParts;
  #sentUpTo: number;
  #pdus: PendingPdu[] = [];
  /** What the server is still to be told of rooms that it is in no more, such as that its last user was made to leave. */
  #farewells: PendingPdu[] = [];
  readonly #edus: PendingEdus;
  #isBehind: boolean;
  /** Whether events have come since what it had missed was last read. */
  #hasMissedMore = false;
  /** Of the last transaction: an event that came while that was read is among what the next round of catching up finds. */
  #justSent: ReadonlySet<number> = new Set();
  #hasToDevice: boolean;
  #deviceListsUpTo: number;
  #hasDeviceLists: boolean;
  /** Whether what is being sent tells of devices. */
  #tellsDeviceLists = false;
  #sending: Promise<void> | undefined;
  #retry: Timer | undefined;
  #isClosed = false;

  constructor(
    name: ServerName,
    backoff: Backoff,
    upTo: Pick<DestinationRow, "sentUpTo" | "deviceListsUpTo">,
    waiting: WaitingInStorage,
    parts: DestinationParts,
  ) {
    this.name = name;
    this.backoff = backoff;
    this.#sentUpTo = upTo.sentUpTo;
    this.#deviceListsUpTo = upTo.deviceListsUpTo;
    this.#isBehind = waiting.isBehind;
    this.#hasToDevice = waiting.hasToDevice;
    this.#hasDeviceLists = waiting.hasDeviceLists;
    this.#parts = parts;
    this.#edus = new PendingEdus(parts.clock);
  }

  /** What is to be remembered over a restart. */
  get row(): DestinationRow {
    const { failingSinceTs, retryTs, retryIntervalMs } = this.backoff;
    const toldUpTo = this.#knowsDeviceLists ? this.#parts.deviceListsRoutedUpTo() : 0;
    return {
      serverName: this.name,
      sentUpTo: this.sentUpTo,
      deviceListsUpTo: Math.max(this.#deviceListsUpTo, toldUpTo),
      failingSinceTs,
      retryTs,
      retryIntervalMs,
    };
  }

  /** Up to this position the server has everything. */
  get sentUpTo(): number {
    const isUpToDate = !this.#isBehind && this.#pdus.length === 0 && !this.#sending;
    return isUpToDate ? Math.max(this.#sentUpTo, this.#parts.routedUpTo()) : this.#sentUpTo;
  }

  /** Whether the server is owed anything. */
  get isIdle(): boolean {
    return !this.#hasWork && !this.#sending;
  }

  get #hasWork(): boolean {
    const isInStorage = this.#isBehind || this.#hasToDevice || this.#hasDeviceLists;
    return isInStorage || this.#pdus.length > 0 || this.#edus.size > 0;
  }

  addPdu(pdu: PendingPdu): void {
    if (this.#isBehind) {
      this.#keepFarewells([pdu]);
      this.#hasMissedMore = true;
      this.wake();
      return;
    }
    if (this.#pdus.length === 0 && !this.#sending)
      this.#sentUpTo = Math.max(this.#sentUpTo, pdu.position - 1);
    this.#pdus.push(pdu);
    if (this.#pdus.length > maxPendingPdus || this.backoff.waitMs > 0) this.#fallBehind();
    this.wake();
  }

  /** Adds what is worth nothing once it is old; a server that cannot be reached goes without. */
  addEdu(key: string, edu: Edu): void {
    if (this.backoff.waitMs > 0) return;
    this.#edus.add(key, edu);
    this.wake();
  }

  /** To be called when a message to a device has been stored for the server. */
  addToDevice(): void {
    this.#hasToDevice = true;
    this.wake();
  }

  get #knowsDeviceLists(): boolean {
    return !this.#hasDeviceLists && !this.#tellsDeviceLists;
  }

  /** To be called when the server has to be told what has happened to users' devices after a position. */
  addDeviceLists(after: number): void {
    const known = this.#deviceListsUpTo;
    this.#deviceListsUpTo = this.#knowsDeviceLists ? after : Math.min(known, after);
    this.#hasDeviceLists = true;
    this.wake();
  }

  /** To be called when the server has been heard of: it can be reached, then. */
  heard(): void {
    if (!this.backoff.ended()) return;
    this.#parts.changed(this);
    this.#retry?.cancel();
    this.#retry = undefined;
    this.wake();
  }

  wake(): void {
    if (this.#isClosed || this.#sending || this.#retry) return;
    if (!this.#hasWork) return;
    const { waitMs } = this.backoff;
    if (waitMs > 0) {
      this.#retry = this.#parts.clock.setTimer(waitMs, () => {
        this.#retry = undefined;
        this.#start();
      });
      return;
    }
    this.#start();
  }

  /** What is being sent is waited for; the rest goes out after the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    await this.#sending;
  }

  #start(): void {
    if (this.#isClosed || this.#sending) return;
    this.#sending = this.#parts
      .inTurn(() => this.#sendAll())
      .finally(() => {
        this.#sending = undefined;
        // What has come while the last transaction was ending, or has to wait.
        this.wake();
      });
  }

  async #sendAll(): Promise<void> {
    try {
      while (!this.#isClosed) {
        const load = await this.#nextLoad();
        if (!load || !(await this.#send(load))) return;
      }
    } catch (error) {
      this.#parts.log.error({ err: error, destination: this.name }, "sending to a server failed");
      this.#failed();
    }
  }

  #fallBehind(): void {
    this.#isBehind = true;
    this.#keepFarewells(this.#pdus);
    this.#pdus = [];
  }

  #keepFarewells(pdus: readonly PendingPdu[]): void {
    this.#farewells.push(...pdus.filter(({ isFarewell }) => isFarewell));
    this.#farewells.splice(0, this.#farewells.length - maxFarewells);
  }

  async #nextLoad(): Promise<Load | undefined> {
    const events = this.#isBehind ? await this.#missed() : this.#nextPdus();
    // Devices before messages of theirs.
    const deviceLists = await this.#nextDeviceLists();
    const messages = await this.#nextToDevice();
    const edus: Edu[] = [
      ...(deviceLists?.edus ?? []),
      ...messages.map(({ content }) => ({
        type: "m.direct_to_device",
        content: JSON.parse(content) as JsonObject,
      })),
    ];
    edus.push(...this.#edus.take(maxEdus - edus.length));
    if (events.pdus.length === 0 && edus.length === 0) {
      this.#sentUpTo = Math.max(this.#sentUpTo, events.sentUpTo);
      this.#isBehind &&= events.staysBehind || this.#hasMissedMore;
      if (deviceLists) this.#deviceListsTold(deviceLists);
      const hasMore = this.#isBehind || this.#hasDeviceLists;
      return hasMore ? { ...events, edus, deviceLists, toDeviceNids: [] } : undefined;
    }
    return { ...events, edus, deviceLists, toDeviceNids: messages.map(({ messageNid }) => messageNid) };
  }

  async #nextDeviceLists(): Promise<DeviceListNews | undefined> {
    if (!this.#hasDeviceLists) return undefined;
    const { deviceUpdates, deviceListsRoutedUpTo } = this.#parts;
    // Before: what changes while storage is read may not be among what is read.
    const upTo = deviceListsRoutedUpTo();
    this.#hasDeviceLists = false;
    this.#tellsDeviceLists = true;
    return deviceUpdates.after(this.name, this.#deviceListsUpTo, upTo);
  }

  #deviceListsTold({ upTo, isPart }: DeviceListNews): void {
    this.#tellsDeviceLists = false;
    this.#deviceListsUpTo = Math.max(this.#deviceListsUpTo, upTo);
    this.#hasDeviceLists ||= isPart;
  }

  async #nextToDevice(): Promise<readonly OutgoingToDevice[]> {
    if (!this.#hasToDevice) return [];
    // Before: what is stored while storage is read may not be among what is read.
    this.#hasToDevice = false;
    const messages = await this.#parts.store.toDevice(this.name, maxToDevice);
    if (messages.length > 0) this.#hasToDevice = true;
    let sizeBytes = 0;
    const end = messages.findIndex(
      ({ content }) => (sizeBytes += Buffer.byteLength(content)) > maxToDeviceBytes,
    );
    // One alone is sent whatever its size: it would wait for ever.
    return end === -1 ? messages : messages.slice(0, Math.max(end, 1));
  }

  #nextPdus(): Pick<Load, "pdus" | "sentUpTo" | "staysBehind"> {
    const pdus = this.#pdus.splice(0, maxPdus);
    return { pdus, sentUpTo: pdus.at(-1)?.position ?? this.#sentUpTo, staysBehind: false };
  }

  /** The newest event of each room in which the server has missed some: what it lacks besides it asks for. */
  async #missed(): Promise<Pick<Load, "pdus" | "sentUpTo" | "staysBehind">> {
    // Before: what comes while storage is read is caught up with in the next round.
    const upTo = this.#parts.routedUpTo();
    this.#hasMissedMore = false;
    const farewells = this.#farewells.splice(0, farewellsAtOnce);
    const limit = maxPdus - farewells.length;
    const { rooms, lookedUpTo } = await this.#parts.store.unsentRooms(this.name, this.#sentUpTo, limit);
    const sentUpTo = lookedUpTo === null ? upTo : Math.min(lookedUpTo, upTo);
    const pdus = [...farewells, ...rooms.filter(({ eventNid }) => !this.#justSent.has(eventNid))];
    return { pdus, sentUpTo, staysBehind: lookedUpTo !== null || this.#farewells.length > 0 };
  }

  /** @returns false when the server could not be reached */
  async #send({ pdus, edus, sentUpTo, staysBehind, deviceLists, toDeviceNids }: Load): Promise<boolean> {
    const { client, texts, store, clock, log, newTransactionId, changed } = this.#parts;
    try {
      if (pdus.length > 0 || edus.length > 0) {
        const answer = await client.request({
          destination: this.name,
          method: "PUT",
          uri: `/_matrix/federation/v1/send/${newTransactionId()}`,
          canonicalBody: await texts.of(
            pdus.map(({ eventNid }) => eventNid),
            edus,
            clock.nowMs(),
          ),
          timeoutMs: requestTimeoutMs,
        });
        this.#logRefusals(answer);
      }
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      if (isWorthRetrying(error)) {
        log.info({ err: error, destination: this.name }, "a server cannot be reached");
        this.#keepFarewells(pdus);
        this.#failed();
        return false;
      }
      // It will never take these: what comes after them must not wait for ever.
      log.warn({ err: error, destination: this.name }, "a transaction was refused for good");
    }
    if (toDeviceNids.length > 0) await store.removeToDevice(toDeviceNids);
    if (deviceLists) this.#deviceListsTold(deviceLists);
    this.#sentUpTo = Math.max(this.#sentUpTo, sentUpTo);
    this.#isBehind &&= staysBehind || this.#hasMissedMore;
    this.#justSent = new Set(pdus.map(({ eventNid }) => eventNid));
    this.backoff.ended();
    changed(this);
    return true;
  }

  /** What was being sent is found again in the rooms; what is worth nothing once it is old is not. */
  #failed(): void {
    this.#fallBehind();
    this.#hasDeviceLists ||= this.#tellsDeviceLists;
    this.#tellsDeviceLists = false;
    this.#hasToDevice = true;
    this.#edus.clear();
    this.backoff.failed();
    this.#parts.changed(this);
  }

  #logRefusals(answer: JsonValue): void {
    const results = isJsonObject(answer) ? answer["pdus"] : undefined;
    if (!isJsonObject(results)) return;
    for (const [eventId, result] of Object.entries(results)) {
      if (!isJsonObject(result) || result["error"] === undefined) continue;
      this.#parts.log.info(
        { destination: this.name, eventId, error: result["error"] },
        "an event was refused",
      );
    }
  }
}

/** As other servers do: an answer that says the request is wrong will be the same the next time. */
function isWorthRetrying({ failure, status = 0 }: FederationError): boolean {
  return failure === "unreachable" || status >= 500 || status === 401 || status === 404 || status === 429;
}
