import type { ServerName } from "../../protocol/identifiers.ts";
import { parseUserId, serverNameOf } from "../../protocol/identifiers.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { DestinationRow, DestinationStore } from "../../storage/destinations.ts";
import { DelayedWrites } from "../../storage/delayed-writes.ts";
import { eventFlags, type StoredEvent } from "../../storage/events.ts";
import type { DeviceUpdateStore } from "../../storage/device-updates.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { RoomTimelines } from "../../timeline/room-timelines.ts";
import type { FederationClient } from "../federation-client.ts";
import type { ServerPolicy } from "../server-policy.ts";
import { Backoff } from "./backoff.ts";
import { Destination, type DestinationParts, type WaitingInStorage } from "./destination.ts";
import { DeviceListRoutes } from "./device-list-routes.ts";
import { DeviceUpdateEdus } from "./device-update-edus.ts";
import type { RoomServers } from "../room-servers.ts";
import type { Edu, TransactionTexts } from "./transaction-text.ts";
import { Turns } from "../../concurrency/turns.ts";

export interface FederationSenderParts {
  readonly ownName: ServerName;
  readonly client: FederationClient;
  readonly policy: ServerPolicy;
  /** Told of each commit before this. */
  readonly servers: RoomServers;
  readonly store: DestinationStore;
  readonly texts: TransactionTexts;
  readonly deviceUpdates: DeviceUpdateStore;
  readonly timelines: Pick<RoomTimelines, "newestAcrossGaps">;
  readonly events: Pick<EventReader, "roomEvent">;
  readonly names: Pick<NameCache, "userId">;
  /** The newest position. */
  readonly position: () => number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** Servers that are sent to at the same time; a dead one holds its place until its time-out. */
const maxSending = 100;
const saveDelayMs = 2_000;
const maxWaitingSaves = 500;
/** Servers that are owed nothing are forgotten beyond this many, and read from storage when they are needed. */
const maxIdleDestinations = 5_000;
const maxRouted = 1_000;

const nothingWaits: WaitingInStorage = { isBehind: false, hasToDevice: false, hasDeviceLists: false };

interface Unrouted {
  after: number;
  upTo: number;
  /** Whether members have come or gone: the last of a server is told though its server is in the room no more. */
  hasMembers: boolean;
}

/**
 * Follows the one stream and gives other servers what users of this one send. Sending an event writes nothing for them:
 * how far each server has come is stored now and then, and what it has missed is found in the rooms that it shares.
 */
export class FederationSender implements AsyncDisposable {
  readonly #parts: FederationSenderParts;
  readonly #destinations = new Map<string, Destination>();
  readonly #opening = new Map<string, Promise<Destination>>();
  readonly #saves: DelayedWrites<DestinationRow>;
  readonly #unrouted = new Map<number, Unrouted>();
  readonly #turns: Turns;
  readonly #deviceLists: DeviceListRoutes;
  readonly #deviceUpdates: DeviceUpdateEdus;
  readonly #transactionPrefix: string;
  #transactions = 0;
  #routing: Promise<void> | undefined;
  #isClosed = false;

  constructor(parts: FederationSenderParts) {
    this.#parts = parts;
    const { store, clock, log } = parts;
    this.#turns = new Turns({ maxAtWork: maxSending }, clock);
    this.#deviceLists = new DeviceListRoutes({ ...parts, found: this.#deviceListsWait });
    this.#deviceUpdates = new DeviceUpdateEdus(parts.deviceUpdates, parts.names);
    this.#transactionPrefix = clock.nowMs().toString(36);
    this.#saves = new DelayedWrites({
      write: (rows) => store.save(rows),
      delayMs: saveDelayMs,
      maxWaiting: maxWaitingSaves,
      clock,
      log,
      failure: "how far other servers have come could not be stored",
    });
  }

  /** Goes on with what other servers were owed at the last stop. To be called once, before anything is committed. */
  async resume(): Promise<void> {
    const { store, position } = this.#parts;
    const withToDevice = new Set(await store.withToDevice());
    for (const row of await store.all()) {
      const isBehind = row.sentUpTo < position();
      const hasDeviceLists = row.deviceListsUpTo < position();
      const hasToDevice = withToDevice.delete(row.serverName);
      if (!isBehind && !hasToDevice && !hasDeviceLists) continue;
      this.#add(row.serverName as ServerName, row, { isBehind, hasToDevice, hasDeviceLists }).wake();
    }
    for (const serverName of withToDevice)
      void this.#withDestination(serverName, (each) => each.addToDevice());
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, nid, position: at, isHistory, membership } of changes) {
      // The event has come before, in the same commit.
      const unrouted = membership && this.#unrouted.get(membership.roomNid);
      if (unrouted) unrouted.hasMembers = true;
      if (stream !== "timeline" || isHistory) continue;
      const known = this.#unrouted.get(nid);
      if (known) known.upTo = at;
      else this.#unrouted.set(nid, { after: at - 1, upTo: at, hasMembers: false });
    }
    this.#route();
    this.#deviceLists.committed(changes);
  };

  readonly #deviceListsWait = (servers: readonly string[], after: number): void => {
    for (const serverName of servers) {
      void this.#withDestination(serverName, (each) => each.addDeviceLists(after));
    }
  };

  /** Sends what is worth nothing once it is old. Of several with one key the last counts. */
  sendEdu(servers: Iterable<string>, key: string, edu: Edu): void {
    for (const serverName of servers) void this.#withDestination(serverName, (each) => each.addEdu(key, edu));
  }

  /** Whether anything is ever sent to a server. */
  mayReach(serverName: ServerName): boolean {
    return serverName !== this.#parts.ownName && this.#parts.policy.allows(serverName);
  }

  /** To be called when messages to devices of servers' users have been stored: each is sent once and in order. */
  toDeviceWaits(servers: Iterable<string>): void {
    for (const serverName of servers) {
      void this.#withDestination(serverName, (each) => each.addToDevice());
    }
  }

  /** To be called when a server has sent something: it can be reached, then. */
  heard(serverName: ServerName): void {
    this.#destinations.get(serverName)?.heard();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#routing;
    await this.#deviceLists.close();
    await Promise.all([...this.#destinations.values()].map((destination) => destination.close()));
    for (const destination of this.#destinations.values()) this.#save(destination);
    await this.#saves[Symbol.asyncDispose]();
  }

  /** Everything up to here has been given to its destinations. */
  #routedUpTo(): number {
    let upTo = this.#parts.position();
    for (const { after } of this.#unrouted.values()) upTo = Math.min(upTo, after);
    return upTo;
  }

  #route(): void {
    if (this.#isClosed || this.#routing || this.#unrouted.size === 0) return;
    this.#routing = this.#routeAll().finally(() => {
      this.#routing = undefined;
      this.#route();
    });
  }

  async #routeAll(): Promise<void> {
    // After the commit's other followers have been told.
    await Promise.resolve();
    while (!this.#isClosed) {
      const [next] = this.#unrouted;
      if (!next) return;
      const [roomNid, stretch] = next;
      const { upTo } = stretch;
      await this.#routeStretch(roomNid, stretch);
      if (stretch.upTo > upTo) stretch.after = upTo;
      else this.#unrouted.delete(roomNid);
    }
  }

  async #routeStretch(roomNid: number, { after, upTo, hasMembers }: Unrouted): Promise<void> {
    try {
      const servers = await this.#parts.servers.of(roomNid);
      if (servers.length === 0 && !hasMembers) return;
      const events = await this.#parts.timelines.newestAcrossGaps(roomNid, after, upTo, maxRouted);
      for (const event of events) {
        if (!(await this.#isToBeSent(event))) continue;
        for (const serverName of await this.#destinationsOf(event, servers)) {
          const { eventNid, position } = event;
          const isFarewell = !servers.includes(serverName);
          await this.#withDestination(serverName, (destination) =>
            destination.addPdu({ eventNid, position: position ?? upTo, isFarewell }),
          );
        }
      }
    } catch (error) {
      // They find it in the rooms that they share, when something else is sent to them.
      this.#parts.log.error({ err: error, roomNid }, "events could not be given to other servers");
    }
  }

  async #isToBeSent({ senderNid, flags }: StoredEvent): Promise<boolean> {
    if ((flags & eventFlags.relayed) !== 0) return true;
    if ((flags & eventFlags.handedOver) !== 0) return false;
    const sender = parseUserId(await this.#parts.names.userId(senderNid));
    return sender !== undefined && serverNameOf(sender) === this.#parts.ownName;
  }

  /** The room's servers, and that of a user who is made to leave. */
  async #destinationsOf(event: StoredEvent, servers: readonly string[]): Promise<ReadonlySet<string>> {
    const destinations = new Set(servers);
    if (event.pairNid === null) return destinations;
    const { type, stateKey = "", sender } = await this.#parts.events.roomEvent(event.eventNid);
    const subject = type === "m.room.member" ? parseUserId(stateKey) : undefined;
    if (subject) destinations.add(serverNameOf(subject));
    destinations.delete(this.#parts.ownName);
    // Who has come in by this server tells their own of it.
    if ((event.flags & eventFlags.relayed) !== 0) destinations.delete(serverNameOf(sender));
    return destinations;
  }

  async #withDestination(serverName: string, use: (destination: Destination) => void): Promise<void> {
    const name = serverName as ServerName;
    if (this.#isClosed || !this.mayReach(name)) return;
    const known = this.#destinations.get(name);
    if (known) {
      use(known);
      return;
    }
    try {
      use(await this.#open(name));
    } catch (error) {
      this.#parts.log.error({ err: error, destination: name }, "what a server is owed could not be read");
    }
  }

  #open(name: ServerName): Promise<Destination> {
    const opening = this.#opening.get(name) ?? this.#openNew(name).finally(() => this.#opening.delete(name));
    this.#opening.set(name, opening);
    return opening;
  }

  async #openNew(name: ServerName): Promise<Destination> {
    const { store } = this.#parts;
    const row = await store.find(name);
    if (row) return this.#add(name, row, nothingWaits);
    const upTo = { sentUpTo: this.#routedUpTo(), deviceListsUpTo: this.#deviceLists.routedUpTo() };
    // So that what is sent now is not lost though the server be killed at once.
    await store.save([
      { serverName: name, ...upTo, failingSinceTs: null, retryTs: null, retryIntervalMs: 0 },
    ]);
    return this.#add(name, upTo, nothingWaits);
  }

  #add(
    name: ServerName,
    row: Pick<DestinationRow, "sentUpTo" | "deviceListsUpTo"> & Partial<DestinationRow>,
    waiting: WaitingInStorage,
  ): Destination {
    const { clock, random } = this.#parts;
    const { failingSinceTs = null, retryTs = null, retryIntervalMs = 0 } = row;
    const backoff = new Backoff(clock, random, { failingSinceTs, retryTs, retryIntervalMs });
    const destination = new Destination(name, backoff, row, waiting, this.#shared);
    this.#destinations.set(name, destination);
    this.#forgetIdle();
    return destination;
  }

  #forgetIdle(): void {
    if (this.#destinations.size <= maxIdleDestinations) return;
    for (const [name, destination] of this.#destinations) {
      if (!destination.isIdle) continue;
      this.#save(destination);
      this.#destinations.delete(name);
      if (this.#destinations.size <= maxIdleDestinations) return;
    }
  }

  get #shared(): DestinationParts {
    const { client, texts, store, clock, log } = this.#parts;
    return {
      client,
      texts,
      store,
      clock,
      log,
      deviceUpdates: this.#deviceUpdates,
      routedUpTo: () => this.#routedUpTo(),
      deviceListsRoutedUpTo: () => this.#deviceLists.routedUpTo(),
      newTransactionId: () => `${this.#transactionPrefix}.${(++this.#transactions).toString(36)}`,
      changed: (destination) => this.#save(destination),
      inTurn: (work) => this.#turns.run(work),
    };
  }

  #save(destination: Destination): void {
    this.#saves.add(destination.name, destination.row);
  }
}
