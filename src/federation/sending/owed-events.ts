import type { ServerName } from "../../protocol/identifiers.ts";
import type { DestinationRow, DestinationStore } from "../../storage/destinations.ts";

export interface OwedEventsParts {
  readonly store: Pick<DestinationStore, "unsentRooms">;
  /** The position up to which events have been given to all destinations. */
  readonly routedUpTo: () => number;
}

export interface PendingPdu {
  readonly eventNid: number;
  readonly position: number;
  /** Whether the server is in the room no more, and so would not get the event by catching up. */
  readonly isFarewell?: boolean;
}

/** Events for one transaction. */
interface TakenEvents {
  readonly pdus: readonly PendingPdu[];
  /** Everything up to here has been sent once these have. */
  readonly sentUpTo: number;
  /** Rooms whose newest event was at this position or before have been looked at. */
  readonly lookedUpTo: number;
  /** Whether more is to be caught up with afterwards. */
  readonly staysBehind: boolean;
}

/** Server-server API, "Transactions": what one may hold. */
export const maxPdus = 50;
/** More waiting events than this, and the server gets the newest of each room instead, as one that was away. */
const maxPendingPdus = 500;
const maxFarewells = 500;
/** Leaves room for the newest of other rooms. */
const farewellsAtOnce = 10;

/** The events that one other server has not been sent yet. */
export class OwedEvents {
  readonly #name: ServerName;
  readonly #parts: OwedEventsParts;
  #sentUpTo: number;
  #isBehind: boolean;
  /**
   * While it catches up: the rooms that have been looked at. Until all have been, nothing more has been sent for certain,
   * since a room in which others speak meanwhile comes last.
   */
  #lookedUpTo = 0;
  #pdus: PendingPdu[] = [];
  /** What the server is still to be told of rooms that it is in no more, such as that its last user was made to leave. */
  #farewells: PendingPdu[];
  /** Whether events have come since what it had missed was last read. */
  #hasMissedMore = false;
  /** What is being sent. */
  #taken: TakenEvents | undefined;
  /** Of the last transaction: an event that came while that was read is among what the next round of catching up finds. */
  #justSent: ReadonlySet<number> = new Set();

  constructor(
    name: ServerName,
    { sentUpTo, farewells }: Pick<DestinationRow, "sentUpTo" | "farewells">,
    isBehind: boolean,
    parts: OwedEventsParts,
  ) {
    this.#name = name;
    this.#sentUpTo = sentUpTo;
    this.#farewells = farewells.map((eventNid) => ({ eventNid, position: sentUpTo, isFarewell: true }));
    this.#isBehind = isBehind;
    this.#parts = parts;
  }

  /** What the server does not come to by catching up: integer IDs of events. */
  get farewells(): readonly number[] {
    const all = [...(this.#taken?.pdus ?? []), ...this.#farewells, ...this.#pdus];
    return all.flatMap(({ eventNid, isFarewell }) => (isFarewell ? [eventNid] : [])).slice(-maxFarewells);
  }

  get hasAny(): boolean {
    return this.#isBehind || this.#pdus.length > 0;
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
      if (pdu.isFarewell) this.#keepFarewells([pdu]);
      this.#hasMissedMore = true;
      return;
    }
    if (this.#pdus.length === 0 && !isSending) this.#sentUpTo = Math.max(this.#sentUpTo, pdu.position - 1);
    this.#pdus.push(pdu);
    if (this.#pdus.length > maxPendingPdus) this.fallBehind();
  }

  /** What waits is found again in the rooms. */
  fallBehind(): void {
    this.#isBehind = true;
    this.#keepFarewells(this.#pdus);
    this.#pdus = [];
  }

  /** What is to be sent next. Either `sent` or `notSent` is to be called afterwards, also when this fails. */
  async take(): Promise<readonly PendingPdu[]> {
    this.#taken = this.#isBehind ? await this.#missed() : this.#waiting();
    return this.#taken.pdus;
  }

  sent(): void {
    if (!this.#taken) return;
    const { pdus, sentUpTo, lookedUpTo, staysBehind } = this.#taken;
    this.#taken = undefined;
    this.#sentUpTo = Math.max(this.#sentUpTo, sentUpTo);
    this.#lookedUpTo = lookedUpTo;
    this.#isBehind &&= staysBehind || this.#hasMissedMore;
    this.#justSent = new Set(pdus.map(({ eventNid }) => eventNid));
  }

  /** It is found again in the rooms. */
  notSent(): void {
    this.#keepFarewells(this.#taken?.pdus ?? []);
    this.#taken = undefined;
    this.fallBehind();
  }

  #keepFarewells(pdus: readonly PendingPdu[]): void {
    this.#farewells.push(...pdus.filter(({ isFarewell }) => isFarewell));
    this.#farewells.splice(0, this.#farewells.length - maxFarewells);
  }

  #waiting(): TakenEvents {
    const pdus = this.#pdus.splice(0, maxPdus);
    const sentUpTo = pdus.at(-1)?.position ?? this.#sentUpTo;
    return { pdus, sentUpTo, lookedUpTo: 0, staysBehind: false };
  }

  /** The newest event of each room in which the server has missed some: what it lacks besides it asks for. */
  async #missed(): Promise<TakenEvents> {
    // Before: what comes while storage is read is caught up with in the next round.
    const upTo = this.#parts.routedUpTo();
    this.#hasMissedMore = false;
    const farewellCount = Math.min(this.#farewells.length, farewellsAtOnce);
    const { rooms, lookedUpTo } = await this.#parts.store.unsentRooms(
      this.#name,
      this.#sentUpTo,
      this.#lookedUpTo,
      maxPdus - farewellCount,
    );
    const farewells = this.#farewells.splice(0, farewellCount);
    const pdus = [...farewells, ...rooms.filter(({ eventNid }) => !this.#justSent.has(eventNid))];
    if (lookedUpTo !== null) return { pdus, sentUpTo: this.#sentUpTo, lookedUpTo, staysBehind: true };
    return { pdus, sentUpTo: upTo, lookedUpTo: 0, staysBehind: this.#farewells.length > 0 };
  }
}
