import type { ServerName } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import type { DestinationRow, DestinationStore, OutgoingToDevice } from "../../storage/destinations.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { type FederationClient, FederationError } from "../federation-client.ts";
import type { DeviceListNews, DeviceUpdateEdus } from "./device-update-edus.ts";
import type { Backoff } from "./backoff.ts";
import { OwedEvents, type PendingPdu } from "./owed-events.ts";
import { PendingEdus } from "./pending-edus.ts";
import type { Edu, TransactionTexts } from "./transaction-text.ts";

/** What all destinations share. */
export interface DestinationParts {
  readonly client: Pick<FederationClient, "request">;
  readonly texts: Pick<TransactionTexts, "of">;
  readonly deviceUpdates: Pick<DeviceUpdateEdus, "after">;
  readonly store: Pick<
    DestinationStore,
    "unsentRooms" | "toDevice" | "removeToDevice" | "farewells" | "removeFarewells"
  >;
  readonly clock: Clock;
  readonly log: Logger;
  /** The position up to which events have been given to all destinations. */
  readonly routedUpTo: () => number;
  /** The position up to which it is known who has to be told of users' devices. */
  readonly deviceListsRoutedUpTo: () => number;
  readonly newTransactionId: () => string;
  /** To be called when what is to be remembered of a destination has changed. */
  readonly changed: (destination: Destination) => void;
  /** Runs work when there is a place for it: servers that answer do not wait for those that may be dead. */
  readonly inTurn: (answers: boolean, work: () => Promise<void>) => Promise<void>;
}

/** What is to be looked for in storage. */
export interface WaitingInStorage {
  /** Events. */
  readonly isBehind: boolean;
  readonly hasFarewells: boolean;
  readonly hasToDevice: boolean;
  readonly hasDeviceLists: boolean;
}

interface Transaction {
  readonly eventNids: readonly number[];
  readonly edus: readonly Edu[];
}

interface Load extends Transaction {
  /** Of the events, those of rooms that the server is in no more. */
  readonly farewells: readonly number[];
  readonly deviceLists: DeviceListNews | undefined;
  readonly toDeviceNids: readonly number[];
}

/** Server-server API, "Transactions": what one may hold. */
const maxPdus = 50;
const maxEdus = 100;
/** Leaves room for what is new in rooms that the server is in. */
const maxFarewells = 10;
const maxToDevice = 50;
/** Servers take transactions of some 12 MiB: fifty events and these fit. */
const maxToDeviceBytes = 4 * 1024 * 1024;
const requestTimeoutMs = 60_000;
/** At a stop: another server, however slow, does not keep this one from ending. */
const closeTimeoutMs = 5_000;
/** Of what another server says of events in its answer. */
const maxRefusalLength = 200;

/** One other server: what it has not been sent yet, and the sending. */
export class Destination {
  readonly name: ServerName;
  readonly backoff: Backoff;
  readonly #parts: DestinationParts;
  readonly #events: OwedEvents;
  readonly #edus: PendingEdus;
  #hasFarewells: boolean;
  #hasToDevice: boolean;
  #deviceListsUpTo: number;
  #hasDeviceLists: boolean;
  /** Whether what is being sent tells of devices. */
  #tellsDeviceLists = false;
  #sending: Promise<void> | undefined;
  #request: AbortController | undefined;
  #retry: Timer | undefined;
  /** Whether it took what it was sent last. */
  #answers = false;
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
    this.#events = new OwedEvents(name, upTo.sentUpTo, waiting.isBehind, parts);
    this.#deviceListsUpTo = upTo.deviceListsUpTo;
    this.#hasFarewells = waiting.hasFarewells;
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
    return this.#events.sentUpTo(this.#sending !== undefined);
  }

  /** Whether the server is owed anything. */
  get isIdle(): boolean {
    return !this.#hasWork && !this.#sending;
  }

  get #hasWork(): boolean {
    const isInStorage = this.#hasFarewells || this.#hasToDevice || this.#hasDeviceLists;
    return isInStorage || this.#events.hasAny || this.#edus.size > 0;
  }

  addPdu(pdu: PendingPdu): void {
    this.#events.add(pdu, this.#sending !== undefined);
    if (!this.#events.isBehind && this.backoff.waitMs > 0) this.#events.fallBehind();
    this.wake();
  }

  /** Adds what is worth nothing once it is old; a server that cannot be reached goes without. */
  addEdu(key: string, edu: Edu): void {
    if (this.backoff.waitMs > 0) return;
    this.#edus.add(key, edu);
    this.wake();
  }

  /** To be called when something has been stored for the server of a room that it is in no more. */
  addFarewell(): void {
    this.#hasFarewells = true;
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

  /** What is being sent is waited for, though not for long; the rest goes out after the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    if (!this.#sending) return;
    using _timer = this.#parts.clock.setTimer(closeTimeoutMs, () => this.#request?.abort());
    await this.#sending;
  }

  #start(): void {
    if (this.#isClosed || this.#sending) return;
    this.#sending = this.#parts
      .inTurn(this.#answers, () => this.#sendAll())
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
        if (load.eventNids.length > 0 || load.edus.length > 0) {
          if (!(await this.#send(load))) return;
        } else {
          // That there is nothing to tell of some rooms says nothing of the server.
          this.#told(load);
          if (!this.#events.isBehind && !this.#hasDeviceLists) return;
        }
      }
    } catch (error) {
      this.#parts.log.error({ err: error, destination: this.name }, "sending to a server failed");
      this.#failed();
    }
  }

  async #nextLoad(): Promise<Load> {
    const farewells = this.#hasFarewells ? await this.#nextFarewells() : [];
    const pdus = await this.#events.take(maxPdus - farewells.length);
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
    const toDeviceNids = messages.map(({ messageNid }) => messageNid);
    return { eventNids: [...new Set([...farewells, ...pdus])], farewells, edus, deviceLists, toDeviceNids };
  }

  async #nextFarewells(): Promise<readonly number[]> {
    // Before: what is stored while storage is read may not be among what is read.
    this.#hasFarewells = false;
    const farewells = await this.#parts.store.farewells(this.name, maxFarewells);
    if (farewells.length > 0) this.#hasFarewells = true;
    return farewells;
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

  /** @returns false when the server could not be reached */
  async #send(load: Load): Promise<boolean> {
    const { eventNids, edus, farewells, toDeviceNids } = load;
    const { store, log } = this.#parts;
    try {
      await this.#deliver({ eventNids, edus });
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      // Once: it may be dead for months.
      const level = this.backoff.failingSinceTs === null ? "info" : "debug";
      log[level]({ err: error, destination: this.name }, "a server cannot be reached");
      this.#failed();
      return false;
    }
    if (farewells.length > 0) await store.removeFarewells(farewells);
    if (toDeviceNids.length > 0) await store.removeToDevice(toDeviceNids);
    this.#answers = true;
    this.backoff.ended();
    this.#told(load);
    return true;
  }

  #told({ deviceLists }: Load): void {
    if (deviceLists) this.#deviceListsTold(deviceLists);
    this.#events.sent();
    this.#parts.changed(this);
  }

  /**
   * Sends a transaction, in halves where it is too large for the server. What it will never take is given up: what comes
   * after that must not wait for ever.
   * @throws FederationError when it is to be sent again
   */
  async #deliver(transaction: Transaction): Promise<void> {
    try {
      this.#logRefusals(await this.#put(transaction));
    } catch (error) {
      if (!(error instanceof FederationError) || isWorthRetrying(error)) throw error;
      const parts = error.status === tooLargeStatus ? halvesOf(transaction) : [];
      for (const part of parts) await this.#deliver(part);
      if (parts.length > 0) return;
      this.#parts.log.warn({ err: error, destination: this.name }, "a transaction was refused for good");
    }
  }

  /** @throws FederationError */
  async #put({ eventNids, edus }: Transaction): Promise<JsonValue> {
    const { client, texts, clock, newTransactionId } = this.#parts;
    const canonicalBody = await texts.of(eventNids, edus, clock.nowMs());
    this.#request = new AbortController();
    return client.request({
      destination: this.name,
      method: "PUT",
      uri: `/_matrix/federation/v1/send/${newTransactionId()}`,
      canonicalBody,
      timeoutMs: requestTimeoutMs,
      signal: this.#request.signal,
    });
  }

  /** What was being sent is found again in the rooms; what is worth nothing once it is old is not. */
  #failed(): void {
    this.#events.notSent();
    this.#hasDeviceLists ||= this.#tellsDeviceLists;
    this.#tellsDeviceLists = false;
    this.#hasFarewells = true;
    this.#hasToDevice = true;
    this.#edus.clear();
    this.#answers = false;
    // At a stop it is this server that breaks off.
    if (!this.#isClosed) this.backoff.failed();
    this.#parts.changed(this);
  }

  #logRefusals(answer: JsonValue): void {
    const results = isJsonObject(answer) ? answer["pdus"] : undefined;
    if (!isJsonObject(results)) return;
    // What it says is logged, but no more of it than a server says that means well.
    for (const [eventId, result] of Object.entries(results).slice(0, maxPdus)) {
      if (!isJsonObject(result) || result["error"] === undefined) continue;
      this.#parts.log.info(
        {
          destination: this.name,
          eventId: eventId.slice(0, maxRefusalLength),
          error: JSON.stringify(result["error"]).slice(0, maxRefusalLength),
        },
        "an event was refused",
      );
    }
  }
}

/** "Payload Too Large" (RFC 9110). */
const tooLargeStatus = 413;

/** Nothing for what cannot be parted. */
function halvesOf({ eventNids, edus }: Transaction): readonly Transaction[] {
  if (eventNids.length > 0 && edus.length > 0) {
    return [
      { eventNids, edus: [] },
      { eventNids: [], edus },
    ];
  }
  const [middle, middleEdu] = [Math.ceil(eventNids.length / 2), Math.ceil(edus.length / 2)];
  if (eventNids.length + edus.length <= 1) return [];
  return [
    { eventNids: eventNids.slice(0, middle), edus: edus.slice(0, middleEdu) },
    { eventNids: eventNids.slice(middle), edus: edus.slice(middleEdu) },
  ];
}

/** Requests that a server refuses for now, though nothing is wrong with them. */
const passingStatuses: readonly number[] = [401, 404, 408, 429];

/**
 * As other servers do: an answer that says the request is wrong will be the same the next time. A redirect says nothing of
 * it: it comes from something in front of the server.
 */
function isWorthRetrying({ failure, status = 0 }: FederationError): boolean {
  const saysWrong = failure === "refused" && status >= 400 && status < 500;
  return !saysWrong || passingStatuses.includes(status);
}
