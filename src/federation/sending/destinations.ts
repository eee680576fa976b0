import type { ServerName } from "../../protocol/identifiers.ts";
import type { DestinationRow, DestinationStore } from "../../storage/destinations.ts";
import { DelayedWrites } from "../../storage/delayed-writes.ts";
import type { Timer } from "../../telemetry/clock.ts";
import { Backoff } from "./backoff.ts";
import { Destination, type DestinationParts, type WaitingInStorage } from "./destination.ts";
import { Turns } from "../../concurrency/turns.ts";

export interface DestinationsParts extends Omit<DestinationParts, "store" | "changed" | "inTurn"> {
  readonly store: DestinationStore;
  readonly mayReach: (serverName: ServerName) => boolean;
  readonly random: () => number;
}

/** Servers that are sent to at the same time, and the same again of those of which it is not known whether they are dead. */
const maxSending = 100;
const saveDelayMs = 2_000;
const maxWaitingSaves = 500;
/** Servers that are owed nothing are forgotten beyond this many, and read from storage when they are needed. */
const maxKept = 20_000;
const forgetDelayMs = 10_000;
/** How far those have come that are owed nothing is stored this often, for what is to be looked through after a crash. */
const settleIntervalMs = 60 * 60_000;
/** After a start so many are looked after in a second, unless there is something new for them. */
const resumedAtOnce = 50;
const resumeIntervalMs = 250;

const nothingWaits: WaitingInStorage = {
  isBehind: false,
  hasFarewells: false,
  hasToDevice: false,
  hasDeviceLists: false,
};

/** How many servers are sent to. */
export interface SendingLoad {
  /** Those that are owed something. */
  readonly busy: number;
  /** Those of them that cannot be reached. */
  readonly failing: number;
}

/** The servers that are sent to: those that are owed something, and many others, are in memory. */
export class Destinations implements AsyncDisposable {
  readonly #parts: DestinationsParts;
  readonly #shared: DestinationParts;
  readonly #byName = new Map<string, Destination>();
  readonly #opening = new Map<string, Promise<void>>();
  readonly #saves: DelayedWrites<Destination>;
  readonly #answering: Turns;
  readonly #others: Turns;
  #resuming: Timer | undefined;
  #forgetting: Timer | undefined;
  #settling: Timer | undefined;
  #settledUpTo = 0;
  #isClosed = false;

  constructor(parts: DestinationsParts) {
    this.#parts = parts;
    const { store, clock, log } = parts;
    this.#answering = new Turns({ maxAtWork: maxSending }, clock);
    this.#others = new Turns({ maxAtWork: maxSending }, clock);
    this.#saves = new DelayedWrites({
      write: (destinations) => store.save(destinations.map(({ row }) => row)),
      delayMs: saveDelayMs,
      maxWaiting: maxWaitingSaves,
      clock,
      log,
      failure: "how far other servers have come could not be stored",
    });
    this.#shared = {
      ...parts,
      changed: (destination) => this.#saves.add(destination.name, destination),
      inTurn: (answers, work) => (answers ? this.#answering : this.#others).run(work),
    };
  }

  get load(): SendingLoad {
    const all = this.#byName.values().toArray();
    return {
      busy: all.filter(({ isIdle }) => !isIdle).length,
      failing: all.filter(({ backoff }) => backoff.failingSinceTs !== null).length,
    };
  }

  /** Goes on with what servers were owed at the last stop. To be called once, before anything is committed. */
  async resume(): Promise<void> {
    const { store, mayReach } = this.#parts;
    const newest = await store.newestToTell();
    const withFarewells = new Set(await store.withFarewells());
    const withToDevice = new Set(await store.withToDevice());
    const resumed: Destination[] = [];
    for (const row of await store.all()) {
      const waiting: WaitingInStorage = {
        isBehind: row.sentUpTo < newest.event,
        hasFarewells: withFarewells.delete(row.serverName),
        hasToDevice: withToDevice.delete(row.serverName),
        hasDeviceLists: row.deviceListsUpTo < newest.deviceLists,
      };
      if (!Object.values(waiting).includes(true)) continue;
      if (!mayReach(row.serverName as ServerName)) continue;
      resumed.push(this.#add(row.serverName, row, waiting));
    }
    this.#wake(resumed, 0);
    void this.each(withFarewells, (destination) => destination.addFarewell());
    void this.each(withToDevice, (destination) => destination.addToDevice());
    this.#settleLater();
  }

  /** Does something with the destinations of some names, at once with those in memory; with none that nothing is sent to. */
  each(names: Iterable<string>, use: (destination: Destination) => void): Promise<void> | undefined {
    if (this.#isClosed) return undefined;
    const missing: ServerName[] = [];
    for (const name of names) {
      const known = this.#byName.get(name);
      if (known) use(known);
      else if (this.#parts.mayReach(name as ServerName)) missing.push(name as ServerName);
    }
    return missing.length === 0 ? undefined : this.#withOpened(missing, use);
  }

  /** To be called when a server has sent something: it can be reached, then. */
  heard(name: ServerName): void {
    this.#byName.get(name)?.heard();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const timer of [this.#resuming, this.#forgetting, this.#settling]) timer?.cancel();
    await Promise.allSettled(this.#opening.values());
    await Promise.all([...this.#byName.values()].map((destination) => destination.close()));
    for (const destination of this.#byName.values()) {
      if (!destination.isIdle) this.#shared.changed(destination);
    }
    await this.#saves[Symbol.asyncDispose]();
    await this.#settle();
  }

  #wake(resumed: readonly Destination[], from: number): void {
    const upTo = from + resumedAtOnce;
    for (const destination of resumed.slice(from, upTo)) destination.wake();
    if (upTo >= resumed.length) return;
    this.#resuming = this.#parts.clock.setTimer(resumeIntervalMs, () => this.#wake(resumed, upTo));
  }

  async #withOpened(names: readonly ServerName[], use: (destination: Destination) => void): Promise<void> {
    try {
      await this.#open(names);
    } catch (error) {
      this.#parts.log.error({ err: error, destinations: names.length }, "what servers are owed is not known");
    }
    for (const name of names) {
      const destination = this.#byName.get(name);
      if (destination) use(destination);
    }
  }

  async #open(names: readonly ServerName[]): Promise<void> {
    const fresh = names.filter((name) => !this.#opening.has(name) && !this.#byName.has(name));
    if (fresh.length > 0) {
      const work = this.#openNew(fresh).finally(() => {
        for (const name of fresh) this.#opening.delete(name);
      });
      for (const name of fresh) this.#opening.set(name, work);
    }
    await Promise.all(new Set(names.flatMap((name) => this.#opening.get(name) ?? [])));
  }

  async #openNew(names: readonly ServerName[]): Promise<void> {
    const { store, routedUpTo, deviceListsRoutedUpTo } = this.#parts;
    const upTo = { sentUpTo: routedUpTo(), deviceListsUpTo: deviceListsRoutedUpTo() };
    const known = new Map((await store.findAll(names)).map((row) => [row.serverName, row]));
    const fresh = names.filter((name) => !known.has(name));
    for (const name of names) this.#add(name, known.get(name) ?? upTo, nothingWaits);
    if (fresh.length > 0) await this.#remember(fresh);
  }

  /** So that what is sent now is not lost though the server be killed at once; it is sent if they cannot be stored as well. */
  async #remember(names: readonly ServerName[]): Promise<void> {
    const rows = names.flatMap((name) => this.#byName.get(name)?.row ?? []);
    try {
      await this.#parts.store.save(rows);
    } catch (error) {
      this.#parts.log.error({ err: error, count: rows.length }, "new servers could not be stored");
    }
  }

  #add(
    name: string,
    row: Pick<DestinationRow, "sentUpTo" | "deviceListsUpTo"> & Partial<DestinationRow>,
    waiting: WaitingInStorage,
  ): Destination {
    const { clock, random } = this.#parts;
    const { failingSinceTs = null, retryTs = null, retryIntervalMs = 0 } = row;
    const backoff = new Backoff(clock, random, { failingSinceTs, retryTs, retryIntervalMs });
    const destination = new Destination(name as ServerName, backoff, row, waiting, this.#shared);
    this.#byName.set(name, destination);
    if (this.#byName.size > maxKept) {
      this.#forgetting ??= clock.setTimer(forgetDelayMs, () => this.#forget());
    }
    return destination;
  }

  /** By a timer: what has just been opened has been given its work by then. */
  #forget(): void {
    this.#forgetting = undefined;
    for (const [name, destination] of this.#byName) {
      if (this.#byName.size <= maxKept) return;
      // Until it is stored, what storage says of it is not true.
      if (destination.isIdle && !this.#saves.waiting(name)) this.#byName.delete(name);
    }
  }

  #settleLater(): void {
    if (this.#isClosed) return;
    this.#settling = this.#parts.clock.setTimer(settleIntervalMs, () => {
      void this.#settle().finally(() => this.#settleLater());
    });
  }

  async #settle(): Promise<void> {
    const { store, routedUpTo, deviceListsRoutedUpTo, log } = this.#parts;
    const upTo = { sentUpTo: routedUpTo(), deviceListsUpTo: deviceListsRoutedUpTo() };
    if (upTo.sentUpTo === this.#settledUpTo) return;
    const inUse = [...this.#byName.keys()];
    const owed = inUse.filter((name) => this.#byName.get(name)?.isIdle === false);
    try {
      await store.settle({ ...upTo, owed, inUse });
      this.#settledUpTo = upTo.sentUpTo;
    } catch (error) {
      log.warn({ err: error }, "how far other servers have come could not be stored");
    }
  }
}
