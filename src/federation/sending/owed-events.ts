import type { ServerName } from "../../protocol/identifiers.ts";
import type { DestinationStore } from "../../storage/destinations.ts";

export interface OwedEventsParts {
  readonly store: Pick<DestinationStore, "unsentRooms" | "farewells" | "removeFarewells">;
  /** The position up to which events have been given to all destinations. */
  readonly routedUpTo: () => number;
}

export interface PendingPdu {
  readonly eventNid: number;
  readonly position: number;
}

/** Events for one transaction, of rooms that the server is in. */
interface TakenEvents {
  readonly eventNids: readonly number[];
  /** Everything up to here has been sent once these have. */
  readonly sentUpTo: number;
  /** Rooms whose newest event was at this position or before have been looked at; 0 when none is left to look at. */
  readonly lookedUpTo: number;
}

/** Server-server API, "Transactions": what one may hold. */
export const maxPdus = 50;
/** Leaves room for what is new in rooms that the server is in. */
const maxFarewells = 10;
/** More waiting events than this, and the server gets the newest of each room instead, as one that was away. */
const maxPendingPdus = 500;

/** The events that one other server has not been sent yet. */
export class OwedEvents {
  readonly #name: ServerName;
  readonly #parts: OwedEventsParts;
  #sentUpTo: number;
  #isBehind: boolean;
  /** Whether there is something in storage of rooms that the server is in no more. */
  #hasFarewells: boolean;
  /**
   * While it catches up: the rooms that have been looked at. Until all have been, nothing more has been sent for certain,
   * since a room in which others speak meanwhile comes last.
   */
  #lookedUpTo = 0;
  #pdus: PendingPdu[] = [];
  /** Whether events have come since what it had missed was last read. */
  #hasMissedMore = false;
  /** What is being sent. */
  #taken: TakenEvents | undefined;
  #takenFarewells: readonly number[] = [];
  /** Of the last transaction: an event that came while that was read is among what the next round of catching up finds. */
  #justSent: ReadonlySet<number> = new Set();

  constructor(
    name: ServerName,
    sentUpTo: number,
    waiting: { readonly isBehind: boolean; readonly hasFarewells: boolean },
    parts: OwedEventsParts,
  ) {
    this.#name = name;
    this.#sentUpTo = sentUpTo;
    this.#isBehind = waiting.isBehind;
    this.#hasFarewells = waiting.hasFarewells;
    this.#parts = parts;
  }

  get hasAny(): boolean {
    return this.#isBehind || this.#hasFarewells || this.#pdus.length > 0;
  }

  /** Whether the server is to get what it has missed in its rooms. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /**
   * Up to this position the server has everything.
   * @param isSending whether what was taken last is still on its way
   */
  sentUpTo(isSending: boolean): number {
    const isUpToDate = !this.hasAny && !isSending;
    return isUpToDate ? Math.max(this.#sentUpTo, this.#parts.routedUpTo()) : this.#sentUpTo;
  }

  /** @param isSending whether what was taken last is still on its way */
  add(pdu: PendingPdu, isSending: boolean): void {
    if (this.#isBehind) {
      this.#hasMissedMore = true;
      return;
    }
    if (this.#pdus.length === 0 && !isSending) this.#sentUpTo = Math.max(this.#sentUpTo, pdu.position - 1);
    this.#pdus.push(pdu);
    if (this.#pdus.length > maxPendingPdus) this.fallBehind();
  }

  /** To be called when something has been stored for the server of a room that it is in no more. */
  addFarewell(): void {
    this.#hasFarewells = true;
  }

  /** What waits is found again in the rooms. */
  fallBehind(): void {
    this.#isBehind = true;
    this.#pdus = [];
  }

  /** What is to be sent next. Either `sent` or `notSent` is to be called afterwards, also when this fails. */
  async take(): Promise<readonly number[]> {
    this.#takenFarewells = this.#hasFarewells ? await this.#nextFarewells() : [];
    const max = maxPdus - this.#takenFarewells.length;
    this.#taken = this.#isBehind ? await this.#missed(max) : this.#waiting(max);
    return [...new Set([...this.#takenFarewells, ...this.#taken.eventNids])];
  }

  /** @throws StorageError */
  async sent(): Promise<void> {
    if (this.#takenFarewells.length > 0) await this.#parts.store.removeFarewells(this.#takenFarewells);
    this.#takenFarewells = [];
    if (!this.#taken) return;
    const { eventNids, sentUpTo, lookedUpTo } = this.#taken;
    this.#taken = undefined;
    this.#sentUpTo = Math.max(this.#sentUpTo, sentUpTo);
    this.#lookedUpTo = lookedUpTo;
    this.#isBehind &&= lookedUpTo > 0 || this.#hasMissedMore;
    this.#justSent = new Set(eventNids);
  }

  /** It is found again, in the rooms and in storage. */
  notSent(): void {
    this.#taken = undefined;
    this.#takenFarewells = [];
    this.#hasFarewells = true;
    this.fallBehind();
  }

  async #nextFarewells(): Promise<readonly number[]> {
    // Before: what is stored while storage is read may not be among what is read.
    this.#hasFarewells = false;
    const farewells = await this.#parts.store.farewells(this.#name, maxFarewells);
    if (farewells.length > 0) this.#hasFarewells = true;
    return farewells;
  }

  #waiting(max: number): TakenEvents {
    const pdus = this.#pdus.splice(0, max);
    const sentUpTo = pdus.at(-1)?.position ?? this.#sentUpTo;
    return { eventNids: pdus.map(({ eventNid }) => eventNid), sentUpTo, lookedUpTo: 0 };
  }

  /** The newest event of each room in which the server has missed some: what it lacks besides it asks for. */
  async #missed(max: number): Promise<TakenEvents> {
    // Before: what comes while storage is read is caught up with in the next round.
    const upTo = this.#parts.routedUpTo();
    this.#hasMissedMore = false;
    const { rooms, lookedUpTo } = await this.#parts.store.unsentRooms(
      this.#name,
      this.#sentUpTo,
      this.#lookedUpTo,
      max,
    );
    const eventNids = rooms.map(({ eventNid }) => eventNid).filter((nid) => !this.#justSent.has(nid));
    const isPart = lookedUpTo !== null;
    return { eventNids, sentUpTo: isPart ? this.#sentUpTo : upTo, lookedUpTo: lookedUpTo ?? 0 };
  }
}
