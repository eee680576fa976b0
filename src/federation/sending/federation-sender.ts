import { Rounds } from "../../concurrency/rounds.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import { serverNameOf } from "../../protocol/identifiers.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { DestinationStore } from "../../storage/destinations.ts";
import { eventFlags, type StoredEvent } from "../../storage/events.ts";
import type { DeviceUpdateStore } from "../../storage/device-updates.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { RoomTimelines } from "../../timeline/room-timelines.ts";
import type { FederationClient } from "../federation-client.ts";
import type { ServerPolicy } from "../server-policy.ts";
import { Destinations, type SendingLoad } from "./destinations.ts";
import { DeviceListRoutes } from "./device-list-routes.ts";
import { DeviceUpdateEdus } from "./device-update-edus.ts";
import type { RoomServers } from "../room-servers.ts";
import type { Edu, TransactionTexts } from "./transaction-text.ts";

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
  readonly names: Pick<NameCache, "userId" | "localUserId">;
  /** The newest position. */
  readonly position: () => number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

const maxRouted = 1_000;

interface Unrouted {
  after: number;
  upTo: number;
}

/**
 * Follows the one stream and gives other servers what users of this one send. Sending an event writes nothing for them:
 * how far each server has come is stored now and then, and what it has missed is found in the rooms that it shares.
 */
export class FederationSender implements AsyncDisposable {
  readonly #parts: FederationSenderParts;
  readonly #destinations: Destinations;
  readonly #unrouted = new Map<number, Unrouted>();
  readonly #deviceLists: DeviceListRoutes;
  #transactions = 0;
  readonly #rounds: Rounds;

  constructor(parts: FederationSenderParts) {
    this.#parts = parts;
    this.#rounds = new Rounds(() => this.#routeAll(), parts.clock);
    this.#deviceLists = new DeviceListRoutes({ ...parts, found: this.#deviceListsWait });
    const transactionPrefix = parts.clock.nowMs().toString(36);
    this.#destinations = new Destinations({
      ...parts,
      deviceUpdates: new DeviceUpdateEdus(parts.deviceUpdates, parts.names),
      mayReach: (serverName) => this.mayReach(serverName),
      routedUpTo: () => this.#routedUpTo(),
      deviceListsRoutedUpTo: () => this.#deviceLists.routedUpTo(),
      newTransactionId: () => `${transactionPrefix}.${(++this.#transactions).toString(36)}`,
    });
  }

  get load(): SendingLoad {
    return this.#destinations.load;
  }

  /** Goes on with what other servers were owed at the last stop. To be called once, before anything is committed. */
  resume(): Promise<void> {
    return this.#destinations.resume();
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, nid, position: at, isHistory, membership } of changes) {
      const farewellTo = membership?.farewellTo;
      if (farewellTo !== undefined) void this.#destinations.each([farewellTo], (each) => each.addFarewell());
      if (stream !== "timeline" || isHistory) continue;
      const known = this.#unrouted.get(nid);
      if (known) known.upTo = at;
      else this.#unrouted.set(nid, { after: at - 1, upTo: at });
    }
    if (this.#unrouted.size > 0) this.#rounds.begin();
    this.#deviceLists.committed(changes);
  };

  readonly #deviceListsWait = (servers: readonly string[], after: number): void => {
    void this.#destinations.each(servers, (destination) => destination.addDeviceLists(after));
  };

  /** Sends what is worth nothing once it is old. Of several with one key the last counts. */
  sendEdu(servers: Iterable<string>, key: string, edu: Edu): void {
    void this.#destinations.each(servers, (destination) => destination.addEdu(key, edu));
  }

  /** Whether anything is ever sent to a server. */
  mayReach(serverName: ServerName): boolean {
    return serverName !== this.#parts.ownName && this.#parts.policy.allows(serverName);
  }

  /** To be called when messages to devices of servers' users have been stored: each is sent once and in order. */
  toDeviceWaits(servers: Iterable<string>): void {
    void this.#destinations.each(servers, (destination) => destination.addToDevice());
  }

  /** To be called when a server has sent something: it can be reached, then. */
  heard(serverName: ServerName): void {
    this.#destinations.heard(serverName);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rounds[Symbol.asyncDispose]();
    await this.#deviceLists[Symbol.asyncDispose]();
    await this.#destinations[Symbol.asyncDispose]();
  }

  /** Everything up to here has been given to its destinations. */
  #routedUpTo(): number {
    let upTo = this.#parts.position();
    for (const { after } of this.#unrouted.values()) upTo = Math.min(upTo, after);
    return upTo;
  }

  async #routeAll(): Promise<void> {
    while (!this.#rounds.isClosed) {
      const [next] = this.#unrouted;
      if (!next) return;
      const [roomNid, stretch] = next;
      const { upTo } = stretch;
      await this.#routeStretch(roomNid, stretch);
      if (stretch.upTo > upTo) stretch.after = upTo;
      else this.#unrouted.delete(roomNid);
    }
  }

  async #routeStretch(roomNid: number, { after, upTo }: Unrouted): Promise<void> {
    try {
      const servers = await this.#parts.servers.of(roomNid);
      if (servers.length === 0) return;
      const events = await this.#parts.timelines.newestAcrossGaps(roomNid, after, upTo, maxRouted);
      for (const event of events) {
        if (!(await this.#isToBeSent(event))) continue;
        const { eventNid, position } = event;
        const pdu = { eventNid, position: position ?? upTo };
        const recipients = await this.#recipientsOf(event, servers);
        await this.#destinations.each(recipients, (destination) => destination.addPdu(pdu));
      }
    } catch (error) {
      // They find it in the rooms that they share, when something else is sent to them.
      this.#parts.log.error({ err: error, roomNid }, "events could not be given to other servers");
    }
  }

  async #isToBeSent({ senderNid, flags }: StoredEvent): Promise<boolean> {
    if ((flags & eventFlags.relayed) !== 0) return true;
    if ((flags & eventFlags.handedOver) !== 0) return false;
    return (await this.#parts.names.localUserId(senderNid)) !== undefined;
  }

  /** Who has come in by this server tells their own of it. */
  async #recipientsOf(event: StoredEvent, servers: readonly string[]): Promise<readonly string[]> {
    if ((event.flags & eventFlags.relayed) === 0) return servers;
    const { sender } = await this.#parts.events.roomEvent(event.eventNid);
    return servers.filter((name) => name !== serverNameOf(sender));
  }
}
