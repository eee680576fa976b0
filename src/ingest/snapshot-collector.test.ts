import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import BetterSqlite3 from "better-sqlite3";
import t from "tap";
import type { RoomId } from "../protocol/identifiers.ts";
import { roomVersion } from "../protocol/room-versions.ts";
import type { Room } from "../state/room-index.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { createLogTo } from "../telemetry/log.ts";
import { SnapshotCollector } from "./snapshot-collector.ts";
import { GraphServer } from "./testing/graph-server.ts";

const version = roomVersion("10");
if (!version) throw new Error("there is no room version 10");

const reachedSql = `WITH RECURSIVE reached (nid) AS (
    SELECT current_snapshot FROM rooms UNION SELECT state_before FROM events UNION SELECT state_after FROM events
    UNION SELECT room_state FROM events
    UNION SELECT parent_nid FROM state_snapshots JOIN reached ON snapshot_nid = nid)`;
const leftSql = `${reachedSql} SELECT (SELECT count(*) FROM state_snapshots) AS count,
  (SELECT count(*) FROM dropped_snapshots) AS noted,
  (SELECT count(*) FROM state_snapshots WHERE snapshot_nid NOT IN (SELECT nid FROM reached WHERE nid IS NOT NULL)) AS superfluous,
  (SELECT count(*) FROM reached WHERE nid IS NOT NULL AND nid NOT IN (SELECT snapshot_nid FROM state_snapshots)) AS missing`;

interface Left {
  readonly count: number;
  readonly noted: number;
  readonly superfluous: number;
  readonly missing: number;
}

/** A server with a room, and a collector that works when the test lets time pass. */
class Scene implements AsyncDisposable {
  readonly server: GraphServer;
  readonly room: Room;
  readonly #collector: SnapshotCollector;
  readonly #clock = new ManualClock();
  readonly #folder: string;
  #names = 0;

  private constructor(server: GraphServer, room: Room, folder: string) {
    this.server = server;
    this.room = room;
    this.#folder = folder;
    const { snapshots, whileIdle } = server.graph;
    const store = server.database.stores.snapshotCollection;
    const log = createLogTo({ write: (line: string) => t.notMatch(line, '"err"') }, "info");
    this.#collector = new SnapshotCollector({ store, snapshots, whileIdle, clock: this.#clock, log });
    this.#collector.begin();
  }

  static async open(test: { teardown(work: () => void): void }): Promise<Scene> {
    const folder = mkdtempSync(join(tmpdir(), "hearth-collector-"));
    const server = await GraphServer.open(test, "one.test", folder);
    const state = (type: string, stateKey: string, content: object) => ({
      type,
      stateKey,
      sender: server.user,
      content: content as Record<string, string>,
    });
    const room = await server.graph.writer.create(
      version as NonNullable<typeof version>,
      "!room:one.test" as RoomId,
      [
        state("m.room.create", "", { creator: server.user, room_version: "10" }),
        state("m.room.member", server.user, { membership: "join" }),
      ],
    );
    return new Scene(server, room, folder);
  }

  /** Names the room so many times. */
  async rename(times: number): Promise<void> {
    const { room, server } = this;
    const name = () => ({
      type: "m.room.name",
      stateKey: "",
      sender: server.user,
      content: { name: `name ${(this.#names += 1)}` },
    });
    await Promise.all(Array.from({ length: times }, () => server.graph.writer.sendOne(room, name())));
  }

  /** Purges all but the newest so many events. */
  async purge(kept: number, limit = 1_000): Promise<void> {
    const { events, historyPurges } = this.server.database.stores;
    const { roomNid } = this.room;
    const places = await events.placesBackwards(
      roomNid,
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
      kept,
    );
    const position = places.at(-1)?.position ?? 0;
    await historyPurges.begin(roomNid, position);
    const { eventCount } = await historyPurges.removePart(roomNid, position, false, limit);
    if (eventCount === 0) throw new Error("nothing was purged");
  }

  async round(): Promise<void> {
    this.#clock.advance(5 * 60 * 1000);
    while (this.#clock.waitingTimers === 0) await turn();
  }

  left(): Left | undefined {
    const db = new BetterSqlite3(join(this.#folder, "hearth.db"), { readonly: true });
    const left = db.prepare<[], Left>(leftSql).get();
    db.close();
    return left;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#collector[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

t.test("states of purged history go, in the round after that which has found them", async (t) => {
  await using scene = await Scene.open(t);
  await scene.rename(300);
  const before = await scene.server.eventStates(scene.room);
  const now = await scene.server.state(scene.room);
  await scene.purge(40);
  t.match(scene.left(), { missing: 0 });
  await scene.round();
  t.ok((scene.left()?.count ?? 0) > 300, "who has just read an event may still read its state");
  await scene.round();
  const left = scene.left();
  t.match(left, { superfluous: 0, missing: 0, noted: 0 });
  t.ok((left?.count ?? 0) < 100, `${left?.count} are left`);
  t.strictSame(await scene.server.state(scene.room), now);
  const after = await scene.server.eventStates(scene.room);
  t.equal(after.size, 40);
  for (const [eventId, state] of after) t.strictSame(state, before.get(eventId));
  await scene.rename(20);
  await scene.round();
  await scene.round();
  t.match(scene.left(), { superfluous: 0, missing: 0, noted: 0 });
});

t.test("what is purged while the references are looked for is left to the rounds after it", async (t) => {
  await using scene = await Scene.open(t);
  await scene.rename(200);
  await scene.purge(100, 60);
  await scene.round();
  await scene.purge(50);
  const { count = 0 } = scene.left() ?? {};
  await scene.round();
  t.equal(scene.left()?.count, count, "nothing was taken away");
  await scene.round();
  t.match(scene.left(), { superfluous: 0, missing: 0, noted: 0 });
});

t.test("rooms go on while their states are collected", async (t) => {
  await using scene = await Scene.open(t);
  await scene.rename(150);
  for (let cycle = 0; cycle < 8; cycle += 1) {
    await scene.purge(3 + cycle * 5);
    await Promise.all([scene.round(), scene.rename(25)]);
    await Promise.all([scene.rename(25), scene.round()]);
    t.match(scene.left(), { missing: 0 });
  }
  await scene.round();
  await scene.round();
  t.match(scene.left(), { superfluous: 0, missing: 0, noted: 0 });
});
