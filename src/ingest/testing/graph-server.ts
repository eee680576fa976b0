import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { authEventTypesFor } from "../../protocol/auth/auth-event-types.ts";
import { SigningKey } from "../../protocol/ed25519.ts";
import { buildEvent, eventReferences, type EventTemplate } from "../../protocol/event-builder.ts";
import { checkPdu } from "../../protocol/event-format.ts";
import { type EventId, type ServerName, serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import { toRoomEvent } from "../../protocol/room-event.ts";
import type { RoomVersion } from "../../protocol/room-versions.ts";
import { parseStrictJson } from "../../protocol/strict-json.ts";
import type { Room } from "../../state/room-index.ts";
import type { StateMap } from "../../state/state-snapshots.ts";
import type { Database } from "../../storage/database.ts";
import { eventFlags, type StoredEvent } from "../../storage/events.ts";
import { NameCache } from "../../storage/name-cache.ts";
import { openSqliteDatabase } from "../../storage/sqlite/open.ts";
import { systemClock } from "../../telemetry/clock.ts";
import { systemRandomBytes } from "../../telemetry/random.ts";
import { type EventGraph, openEventGraph } from "../ingest.ts";
import type { Receipt, ReceivedEvent } from "../received-event.ts";

function failOnFault(error: unknown): never {
  throw error;
}

interface EventState {
  readonly isRejected: boolean;
  readonly isSoftFailed: boolean;
  /** After the event; see `GraphServer.state`. */
  readonly state: ReadonlyMap<string, string>;
}

/** The event graph of one server on a database of its own, and what a test makes it do with others. */
export class GraphServer implements AsyncDisposable {
  readonly name: ServerName;
  readonly user: UserId;
  readonly graph: EventGraph;
  readonly database: Database;
  readonly #key: SigningKey;
  readonly names: NameCache;

  private constructor(
    name: ServerName,
    key: SigningKey,
    database: Database,
    names: NameCache,
    graph: EventGraph,
  ) {
    this.name = name;
    this.user = `@user:${name}` as UserId;
    this.#key = key;
    this.database = database;
    this.names = names;
    this.graph = graph;
  }

  /**
   * @param folder where the database is; a new one that goes with the test unless given
   * @param isPartial whether members of rooms are missing; they are not unless given
   */
  static async open(
    t: { teardown(work: () => void): void },
    name: string,
    folder = mkdtempSync(join(tmpdir(), "hearth-graph-")),
    isPartial = () => false,
  ): Promise<GraphServer> {
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const database = await openSqliteDatabase(folder, () => undefined, failOnFault);
    const { stores } = database;
    const names = new NameCache(stores.names, (userId) => serverNameOf(userId as UserId) === name);
    const key = new SigningKey("ed25519:1", Buffer.alloc(32, 7));
    const serverName = name as ServerName;
    const graph = await openEventGraph({
      serverName,
      key,
      stores,
      names,
      clock: systemClock,
      randomBytes: systemRandomBytes,
      partialRooms: { has: isPartial },
    });
    return new GraphServer(serverName, key, database, names, graph);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database[Symbol.asyncDispose]();
  }

  /** An event of this server that may follow whatever it says. */
  build(version: RoomVersion, template: EventTemplate): ReceivedEvent {
    const { event, encoded } = buildEvent(version, template, this.name, this.#key);
    return { event, encoded };
  }

  /** An event as this server would send it to another. */
  async sent(version: RoomVersion, eventId: string): Promise<ReceivedEvent> {
    const stored = await this.database.stores.events.byId(eventId);
    if (!stored) throw new Error(`${this.name} has no ${eventId}`);
    return receivedEvent(version, stored);
  }

  /** The room's state by type and state key, as event IDs. */
  async state(room: Room): Promise<Map<string, string>> {
    const row = await this.database.stores.rooms.byId(room.roomId);
    return row?.currentSnapshot ? this.#named(row.currentSnapshot) : new Map();
  }

  /** What is known of each event that has its place in the graph, by its ID. */
  async eventStates({ roomNid }: Room): Promise<Map<string, EventState>> {
    const { eventNid: newest } = await this.database.stores.rooms.highestNids();
    const states = new Map<string, EventState>();
    for (let eventNid = 1; eventNid <= newest; eventNid++) {
      const stored = await this.database.stores.events.byNid(eventNid);
      if (stored?.roomNid !== roomNid || stored.stateAfter === null) continue;
      states.set(stored.eventId, {
        isRejected: (stored.flags & eventFlags.rejected) !== 0,
        isSoftFailed: (stored.flags & eventFlags.softFailed) !== 0,
        state: await this.#named(stored.stateAfter),
      });
    }
    return states;
  }

  async #named(snapshotNid: number): Promise<Map<string, string>> {
    const entries: [string, string][] = [];
    for (const [pairNid, eventNid] of await this.graph.snapshots.map(snapshotNid)) {
      const { type, stateKey } = await this.names.statePair(pairNid);
      entries.push([`${type} ${stateKey}`, (await this.graph.events.stored(eventNid)).eventId]);
    }
    return new Map(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Joins its user to another server's room, as the joining handshake does. */
  async join(room: Room, resident: GraphServer): Promise<Room> {
    const template = await resident.#joinTemplate(room, this.user);
    const { event, encoded } = buildEvent(room.version, template, this.name, this.#key);
    const [verdict] = await resident.graph.receiver.receive(room, [{ event, encoded }]);
    if (verdict?.verdict !== "accepted")
      throw new Error(`the join is ${verdict?.verdict}: ${verdict?.reason}`);
    const stored = await resident.database.stores.events.byId(event.eventId);
    const own = await this.graph.outliers.adopt(room.roomId, room.version);
    const state = await this.#told(own, resident, stored?.stateBefore ?? 0);
    const joined = { event, encoded, toldStates: [state] };
    const [receipt] = await this.graph.receiver.receive(own, [joined], "join");
    if (receipt?.verdict !== "accepted")
      throw new Error(`the join is ${receipt?.verdict}: ${receipt?.reason}`);
    return own;
  }

  /**
   * Takes the state before an event from the server that sent it, as is done when events that it follows are not sent any
   * more.
   */
  async toldState(room: Room, resident: GraphServer, eventId: string): Promise<StateMap> {
    const stored = await resident.database.stores.events.byId(eventId);
    if (!stored?.stateBefore) throw new Error(`${resident.name} does not know the state before ${eventId}`);
    return this.#told(room, resident, stored.stateBefore);
  }

  async #told(own: Room, resident: GraphServer, snapshotNid: number): Promise<StateMap> {
    const told = await resident.graph.snapshots.map(snapshotNid);
    const receipts = await this.graph.outliers.store(own, await resident.#authChain([...told.values()]));
    const refused = receipts.find(({ verdict }) => verdict === "incomplete" || verdict === "rejected");
    if (refused) throw new Error(`${refused.eventId} is ${refused.verdict}: ${refused.reason}`);
    const state = new Map<number, number>();
    for (const { eventId } of await resident.graph.events.storedAll([...told.values()])) {
      const row = await this.database.stores.events.byId(eventId);
      if (row?.pairNid) state.set(row.pairNid, row.eventNid);
    }
    return state;
  }

  /** Hands events over; those that cannot be judged yet are given again once others have come. */
  async receive(room: Room, events: readonly ReceivedEvent[]): Promise<Map<EventId, Receipt>> {
    const receipts = new Map<EventId, Receipt>();
    let left = events;
    for (let count = -1; left.length > 0 && left.length !== count; ) {
      count = left.length;
      for (const receipt of await this.graph.receiver.receive(room, left))
        receipts.set(receipt.eventId, receipt);
      left = left.filter(({ event }) => receipts.get(event.eventId)?.verdict === "incomplete");
    }
    return receipts;
  }

  async #joinTemplate({ roomId, version }: Room, userId: UserId) {
    const row = await this.database.stores.rooms.byId(roomId);
    if (!row?.currentSnapshot) throw new Error("the room has no state");
    const content = { membership: "join" };
    const member = { type: "m.room.member", stateKey: userId, sender: userId, content };
    const auth: RoomEvent[] = [];
    for (const [type, stateKey] of authEventTypesFor(version, member)) {
      const pairNid = await this.names.findStatePair(type, stateKey);
      const nid = pairNid && (await this.graph.snapshots.get(row.currentSnapshot, pairNid));
      if (nid) auth.push(await this.graph.events.roomEvent(nid));
    }
    const extremities = await this.database.stores.rooms.extremities(row.roomNid);
    return {
      ...member,
      roomId,
      depth: Math.max(...extremities.map(({ depth }) => depth)) + 1,
      prevEvents: eventReferences(
        version,
        await this.graph.events.roomEvents(extremities.map(({ eventNid }) => eventNid)),
      ),
      authEvents: eventReferences(version, auth),
      originServerTs: systemClock.nowMs(),
      eventId: `$join:${serverNameOf(userId)}` as EventId,
    };
  }

  /** State events and all that they rest on, each after its auth events. */
  async #authChain(eventNids: readonly number[]): Promise<ReceivedEvent[]> {
    const chain = new Map<number, ReceivedEvent>();
    const add = async (eventNid: number): Promise<void> => {
      if (chain.has(eventNid)) return;
      for (const authNid of await this.database.stores.events.authNids(eventNid)) await add(authNid);
      const stored = await this.graph.events.stored(eventNid);
      const { version } = await this.graph.rooms.byNid(stored.roomNid);
      chain.set(eventNid, receivedEvent(version, stored));
    };
    for (const eventNid of eventNids) await add(eventNid);
    return [...chain.values()];
  }
}

function receivedEvent(version: RoomVersion, { common, federation, eventId }: StoredEvent): ReceivedEvent {
  const { pdu, encoded } = checkPdu(version, parseStrictJson(`{${common},${federation}}`));
  return { event: toRoomEvent(version, pdu, eventId as EventId), encoded };
}
