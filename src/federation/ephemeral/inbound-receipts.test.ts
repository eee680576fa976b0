import { setImmediate as turn } from "node:timers/promises";
import t from "tap";
import type { ServerName } from "../../protocol/identifiers.ts";
import type { RemoteReceipt } from "../../storage/receipts.ts";
import { createLogTo } from "../../telemetry/log.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { EduRooms } from "./edu-rooms.ts";
import { InboundReceipts } from "./inbound-receipts.ts";

const origin = "two.test" as ServerName;
const roomId = "!room:one.test";

function setUp(positions: Readonly<Record<string, number>>) {
  const clock = new ManualClock();
  const stored: (readonly RemoteReceipt[])[] = [];
  const participation = {
    find: async (id: string) => (id === roomId ? ({ roomNid: 9, roomId } as never) : undefined),
    isJoined: async () => true,
    admits: async () => true,
    isWhole: () => true,
    hasUsersOf: async () => true,
  };
  const names = {
    internUser: () => Promise.reject(new Error("all members are known")),
    findUser: async (userId: string) => Number(userId.slice(2, userId.indexOf(":"))),
  };
  const memberships = { of: async () => ({ membership: "join" }) as never };
  const receipts = new InboundReceipts({
    rooms: new EduRooms(participation, names, memberships),
    events: {
      byId: async (id: string) =>
        id in positions ? ({ roomNid: 9, position: positions[id] } as never) : undefined,
    },
    store: { putRemote: async (_room: number, rows: readonly RemoteReceipt[]) => void stored.push(rows) },
    clock,
    log: createLogTo(process.stderr, "fatal"),
  });
  const read = (users: Readonly<Record<number, readonly string[]>>) => {
    const reads = Object.entries(users).map(([user, ids]) => [
      `@u${user}:two.test`,
      { event_ids: [...ids], data: { ts: 5 } },
    ]);
    return receipts.receive(origin, { [roomId]: { "m.read": Object.fromEntries(reads) as object } } as never);
  };
  const pass = async (durationMs: number) => {
    clock.advance(durationMs);
    for (let count = 0; count < 10; count++) await turn();
  };
  return { receipts, stored, read, pass };
}

t.test("what comes in a moment is stored together, of each user the furthest", async (t) => {
  const { receipts, stored, read, pass } = setUp({ $a: 1, $b: 2, $c: 3 });
  await read({ 1: ["$a"], 2: ["$b"] });
  await read({ 1: ["$c", "$unknown", "$b"] });
  await read({ 1: ["$a"] });
  t.equal(stored.length, 0);
  await pass(100);
  t.strictSame(
    stored.map((rows) => new Set(rows.map(({ userNid, eventId }) => `${userNid} ${eventId}`))),
    [new Set(["2 $b", "1 $c"])],
  );
  await read({ 3: ["$a"] });
  await receipts[Symbol.asyncDispose]();
  t.equal(stored.length, 2, "nothing is lost when the server stops");
});

t.test("of one EDU so many are heard, and a receipt waits for its event", async (t) => {
  const positions: Record<string, number> = { $a: 1 };
  const { receipts, stored, read, pass } = setUp(positions);
  await read(Object.fromEntries(Array.from({ length: 500 }, (_, user) => [user, ["$a"]])));
  await pass(100);
  t.equal(stored[0]?.length, 200);
  await read({ 1: ["$late"] });
  await pass(100);
  t.equal(stored.length, 1);
  positions["$late"] = 2;
  receipts.committed(1, [{ stream: "timeline", nid: 9, position: 2 }]);
  await pass(200);
  await pass(100);
  t.match(stored[1], [{ userNid: 1, eventId: "$late", eventPosition: 2, ts: 5, thread: "" }]);
  await receipts[Symbol.asyncDispose]();
});
