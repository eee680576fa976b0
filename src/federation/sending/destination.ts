import type { ServerName } from "../../protocol/identifiers.ts";
import type { DestinationRow } from "../../storage/destinations.ts";
import type { Timer } from "../../telemetry/clock.ts";
import { FederationError } from "../federation-client.ts";
import type { Backoff } from "./backoff.ts";
import { Delivery, type DeliveryParts, type Transaction } from "./delivery.ts";
import { OwedEdus, type OwedEdusParts } from "./owed-edus.ts";
import { OwedEvents, type OwedEventsParts, type PendingPdu } from "./owed-events.ts";
import type { Edu } from "./transaction-text.ts";

/** What all destinations share. */
export interface DestinationParts
  extends DeliveryParts,
    Omit<OwedEdusParts, "store">,
    Omit<OwedEventsParts, "store"> {
  readonly store: OwedEdusParts["store"] & OwedEventsParts["store"];
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

/** At a stop: another server, however slow, does not keep this one from ending. */
const closeTimeoutMs = 5_000;

/** One other server: what it has not been sent yet, and the sending. */
export class Destination {
  readonly name: ServerName;
  readonly backoff: Backoff;
  readonly #parts: DestinationParts;
  readonly #events: OwedEvents;
  readonly #edus: OwedEdus;
  readonly #delivery: Delivery;
  #sending: Promise<void> | undefined;
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
    this.#events = new OwedEvents(name, upTo.sentUpTo, waiting, parts);
    this.#edus = new OwedEdus(name, upTo.deviceListsUpTo, waiting, parts);
    this.#delivery = new Delivery(name, parts);
    this.#parts = parts;
  }

  /** What is to be remembered over a restart. */
  get row(): DestinationRow {
    const { failingSinceTs, retryTs, retryIntervalMs } = this.backoff;
    return {
      serverName: this.name,
      sentUpTo: this.sentUpTo,
      deviceListsUpTo: this.#edus.deviceListsUpTo,
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
    return this.#events.hasAny || this.#edus.hasAny;
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
    this.#events.addFarewell();
    this.wake();
  }

  /** To be called when a message to a device has been stored for the server. */
  addToDevice(): void {
    this.#edus.addToDevice();
    this.wake();
  }

  /** To be called when the server has to be told what has happened to users' devices after a position. */
  addDeviceLists(after: number): void {
    this.#edus.addDeviceLists(after);
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
    using _timer = this.#parts.clock.setTimer(closeTimeoutMs, () => this.#delivery.abort());
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
        const eventNids = await this.#events.take();
        const edus = await this.#edus.take();
        if (eventNids.length > 0 || edus.length > 0) {
          if (!(await this.#send({ eventNids, edus }))) return;
        } else {
          // That there is nothing to tell of some rooms says nothing of the server.
          await this.#sent();
          if (!this.#hasWork) return;
        }
      }
    } catch (error) {
      this.#parts.log.error({ err: error, destination: this.name }, "sending to a server failed");
      this.#failed();
    }
  }

  /** @returns false when the server could not be reached */
  async #send(transaction: Transaction): Promise<boolean> {
    try {
      await this.#delivery.send(transaction);
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      // Once: it may be dead for months.
      const level = this.backoff.failingSinceTs === null ? "info" : "debug";
      this.#parts.log[level]({ err: error, destination: this.name }, "a server cannot be reached");
      this.#failed();
      return false;
    }
    this.#answers = true;
    this.backoff.ended();
    await this.#sent();
    return true;
  }

  async #sent(): Promise<void> {
    await this.#events.sent();
    await this.#edus.sent();
    this.#parts.changed(this);
  }

  #failed(): void {
    this.#events.notSent();
    this.#edus.notSent();
    this.#answers = false;
    // At a stop it is this server that breaks off.
    if (!this.#isClosed) this.backoff.failed();
    this.#parts.changed(this);
  }
}
