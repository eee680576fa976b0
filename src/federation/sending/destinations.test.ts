import { setImmediate as nextTurn } from "node:timers/promises";
import t from "tap";
import type { ServerName } from "../../protocol/identifiers.ts";
import type { DestinationRow, SettledDestinations } from "../../storage/destinations.ts";
import { createLogTo } from "../../telemetry/log.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { FederationError, type FederationRequest } from "../federation-client.ts";
import { Destinations } from "./destinations.ts";

const settled = async () => {
  for (let turn = 0; turn < 30; turn++) await nextTurn();
};

/** Storage whose disk can be full, and servers of which some never answer. */
class Scene {
  readonly clock = new ManualClock();
  readonly rows = new Map<string, DestinationRow>();
  readonly farewells = new Map<string, readonly number[]>();
  readonly settles: SettledDestinations[] = [];
  readonly sent: ServerName[] = [];
  /** How often storage has been asked what a server has missed. */
  looked = 0;
  saves = 0;
  isDiskFull = false;
  position = 100;
  routedUpTo = 100;
  answer: (name: ServerName) => Promise<object> = async () => ({});
  readonly destinations: Destinations;

  constructor() {
    this.destinations = new Destinations({
      client: { request: ({ destination }: FederationRequest) => this.#receive(destination) as never },
      texts: { of: (nids) => Promise.resolve(JSON.stringify(nids)) },
      deviceUpdates: { after: (_name, _after, upTo) => Promise.resolve({ edus: [], upTo, isPart: false }) },
      store: {
        all: async () => [...this.rows.values()],
        findAll: async (names: readonly string[]) => names.flatMap((name) => this.rows.get(name) ?? []),
        newestToTell: async () => ({ event: this.position, deviceLists: 0 }),
        save: (rows: readonly DestinationRow[]) => this.#save(rows),
        settle: async (all: SettledDestinations) => void this.settles.push(all),
        withToDevice: async () => [],
        withFarewells: async () => [...this.farewells.keys()],
        farewells: async (name: string) => this.farewells.get(name) ?? [],
        removeFarewells: async (eventNids: readonly number[]) => {
          for (const [name, [owed = 0]] of this.farewells) {
            if (eventNids.includes(owed)) this.farewells.delete(name);
          }
        },
        toDevice: async () => [],
        removeToDevice: async () => undefined,
        unsentRooms: async () => {
          this.looked += 1;
          return { rooms: [], lookedUpTo: null };
        },
      } as never,
      mayReach: (name) => name !== "denied.test",
      routedUpTo: () => this.routedUpTo,
      deviceListsRoutedUpTo: () => this.routedUpTo,
      newTransactionId: () => "1",
      random: () => 0.5,
      clock: this.clock,
      log: createLogTo({ write: () => undefined }, "fatal"),
    });
  }

  /** Has an event sent to some servers. */
  async send(...names: string[]): Promise<void> {
    const position = ++this.position;
    await this.destinations.each(names, (each) => each.addPdu({ eventNid: position, position }));
    this.routedUpTo = position;
    await settled();
  }

  knowsOf(name: string, more: Partial<DestinationRow> = {}): void {
    const upTo = { sentUpTo: 1, deviceListsUpTo: 1 };
    const row = { serverName: name, ...upTo, failingSinceTs: null, retryTs: null, retryIntervalMs: 0 };
    this.rows.set(name, { ...row, ...more });
  }

  async #receive(name: ServerName): Promise<object> {
    this.sent.push(name);
    return this.answer(name);
  }

  async #save(rows: readonly DestinationRow[]): Promise<void> {
    this.saves += 1;
    if (this.isDiskFull) throw new Error("disk full");
    for (const row of rows) this.rows.set(row.serverName, row);
  }
}

const names = (count: number, kind: string) =>
  Array.from({ length: count }, (_, index) => `${kind}${index}.test`);

t.test("new servers are stored together before anything is sent to them", async (t) => {
  const scene = new Scene();
  await scene.send(...names(50, "s"), "denied.test");
  t.equal(scene.saves, 1);
  t.equal(scene.sent.length, 50, "and not to one that nothing is sent to");
  t.equal(scene.rows.get("s0.test")?.sentUpTo, 100);
});

t.test("events are sent though nothing can be stored", async (t) => {
  const scene = new Scene();
  scene.isDiskFull = true;
  await scene.send("a.test");
  await scene.send("a.test");
  t.same(scene.sent, ["a.test", "a.test"]);
});

t.test("servers that never answer do not hold up those that do", async (t) => {
  const scene = new Scene();
  await scene.send("alive.test");
  scene.answer = (name) => (name === "alive.test" ? Promise.resolve({}) : new Promise(() => undefined));
  await scene.send(...names(300, "dead"), "alive.test");
  t.equal(scene.sent.filter((name) => name === "alive.test").length, 2);
  t.equal(scene.sent.length, 2 + 100, "of the others some are tried");
});

t.test("a server in back-off costs nothing but its place in memory", async (t) => {
  const scene = new Scene();
  scene.answer = () => Promise.reject(new FederationError("unreachable", "dead"));
  await scene.send(...names(20, "dead"));
  scene.clock.advance(3_000);
  await settled();
  const [saves, attempts, looked, timers] = [
    scene.saves,
    scene.sent.length,
    scene.looked,
    scene.clock.waitingTimers,
  ];
  for (let message = 0; message < 50; message++) await scene.send(...names(20, "dead"));
  t.same(
    [scene.saves, scene.sent.length, scene.looked, scene.clock.waitingTimers],
    [saves, attempts, looked, timers],
  );
});

t.test("after a start thousands of servers are looked after bit by bit", async (t) => {
  const scene = new Scene();
  for (const name of names(10_000, "s")) scene.knowsOf(name);
  scene.knowsOf("denied.test");
  await scene.destinations.resume();
  await settled();
  t.equal(scene.looked, 50);
  await scene.send("s9999.test");
  t.ok(scene.sent.length <= 1, "one for which there is something new does not wait for its turn");
  t.equal(scene.looked, 51);
  for (let turn = 0; turn < 250; turn++) {
    scene.clock.advance(250);
    await settled();
  }
  t.equal(scene.looked, 10_000);
  t.notOk(scene.sent.includes("denied.test" as ServerName));
});

t.test("after a start nothing is looked for that cannot be there", async (t) => {
  const scene = new Scene();
  for (const name of names(100, "s")) scene.knowsOf(name, { sentUpTo: 100 });
  scene.knowsOf("left.test", { sentUpTo: 100 });
  scene.farewells.set("left.test", [50]);
  scene.farewells.set("unknown.test", [51]);
  scene.farewells.set("denied.test", [52]);
  await scene.destinations.resume();
  await settled();
  t.equal(scene.looked, 0);
  t.same(
    scene.sent,
    ["left.test", "unknown.test"],
    "but for servers that are still to hear of rooms that they have left",
  );
  t.same([...scene.farewells.keys()], ["denied.test"]);
  await scene.destinations[Symbol.asyncDispose]();
});

t.test("at a stop all are up to date that are owed nothing", async (t) => {
  const scene = new Scene();
  scene.answer = async (name) => {
    if (name !== "dead.test") return {};
    throw new FederationError("unreachable", "dead");
  };
  await scene.send("alive.test", "dead.test");
  scene.routedUpTo += 7;
  await scene.destinations[Symbol.asyncDispose]();
  t.match(scene.settles, [{ sentUpTo: 108, owed: ["dead.test"], inUse: ["alive.test", "dead.test"] }]);
  t.equal(scene.rows.get("dead.test")?.sentUpTo, 100);
  await scene.send("alive.test");
  t.equal(scene.sent.length, 2, "nothing is sent afterwards");
});

t.test("while it runs, how far all have come is stored now and then", async (t) => {
  const scene = new Scene();
  await scene.destinations.resume();
  await scene.send("a.test");
  scene.clock.advance(60 * 60_000);
  await settled();
  t.match(scene.settles, [{ sentUpTo: 101, owed: [] }]);
  scene.clock.advance(60 * 60_000);
  await settled();
  t.equal(scene.settles.length, 1, "and not again when nothing has happened");
  await scene.destinations[Symbol.asyncDispose]();
  t.equal(scene.clock.waitingTimers, 0);
});
