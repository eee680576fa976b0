import type { ServerName, UserId } from "../../../src/protocol/identifiers.ts";
import { testDefaults } from "../../../spec-tests/support/server.ts";
import type { ServerProcess } from "../../../spec-tests/support/server-process.ts";
import { loadSigningKey } from "../../../src/federation/signing-key.ts";
import { type EventGraph, openEventGraph } from "../../../src/ingest/ingest.ts";
import type { Room } from "../../../src/state/room-index.ts";
import { PartialRooms } from "../../../src/state/partial-rooms.ts";
import type { Database } from "../../../src/storage/database.ts";
import { NameCache } from "../../../src/storage/name-cache.ts";
import { openSqliteDatabase } from "../../../src/storage/sqlite/open.ts";
import { systemClock } from "../../../src/telemetry/clock.ts";
import { systemRandomBytes } from "../../../src/telemetry/random.ts";
import { times } from "./turns.ts";

const eventsAtOnce = 50;

function failOnFault(error: unknown): never {
  throw error;
}

/**
 * Users of a server that is not running, straight in its database: over HTTP they would take minutes to register and to
 * join. What is stored of them is what the server stores.
 */
export class Crowd implements AsyncDisposable {
  readonly #database: Database;
  readonly #graph: EventGraph;

  private constructor(database: Database, graph: EventGraph) {
    this.#database = database;
    this.#graph = graph;
  }

  static async open({ dataFolder }: ServerProcess): Promise<Crowd> {
    const database = await openSqliteDatabase(dataFolder, () => undefined, failOnFault);
    const { stores } = database;
    const graph = await openEventGraph({
      serverName: testDefaults.server_name as ServerName,
      key: loadSigningKey(dataFolder, systemRandomBytes),
      stores,
      names: new NameCache(stores.names, () => true),
      clock: systemClock,
      randomBytes: systemRandomBytes,
      partialRooms: await PartialRooms.open(stores.partialRooms),
    });
    return new Crowd(database, graph);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database[Symbol.asyncDispose]();
  }

  /** Accounts that nobody can log in to. */
  async register(count: number): Promise<UserId[]> {
    const userIds = Array.from(
      { length: count },
      (_, index) => `@member-${index}:${testDefaults.server_name}` as UserId,
    );
    const account = {
      passwordHash: null,
      createdTs: systemClock.nowMs(),
      userType: null,
      appserviceId: null,
    };
    await times(count, async (index) => {
      const userId = userIds[index] as UserId;
      const kind = { isGuest: false, isAdmin: false, displayName: `Member ${index}` };
      await this.#database.stores.accounts.create({ ...account, ...kind, userId }, {});
    });
    return userIds;
  }

  join(roomId: string, userIds: readonly UserId[]): Promise<void> {
    return this.#change(roomId, userIds, "join");
  }

  leave(roomId: string, userIds: readonly UserId[]): Promise<void> {
    return this.#change(roomId, userIds, "leave");
  }

  async #change(roomId: string, userIds: readonly UserId[], membership: string): Promise<void> {
    const room = (await this.#graph.rooms.find(roomId)) as Room;
    await times(Math.ceil(userIds.length / eventsAtOnce), (block) => {
      const some = userIds.slice(block * eventsAtOnce, (block + 1) * eventsAtOnce);
      const events = some.map((userId) => ({
        type: "m.room.member",
        stateKey: userId,
        sender: userId,
        content: { membership },
      }));
      return this.#graph.writer.send(room, events);
    });
  }
}
