import t from "tap";
import { EncodedEvent } from "../../protocol/event-encoding.ts";
import type { RoomId, ServerName } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import type { Pdu } from "../../protocol/pdu.ts";
import { toRoomEvent } from "../../protocol/room-event.ts";
import { rulesOfVersion } from "../../protocol/testing/room-version.ts";
import type { Room } from "../../state/room-index.ts";
import type { InboxEvent } from "../../storage/federation-inbox.ts";
import { systemClock } from "../../telemetry/clock.ts";
import { InboundTransactions } from "./transactions.ts";

const version = rulesOfVersion("11");
const origin = "b.test" as ServerName;

function pdu(roomId: string, depth: number): JsonObject {
  return {
    auth_events: [],
    content: { body: "hello" },
    depth,
    hashes: { sha256: "" },
    origin_server_ts: 1,
    prev_events: [],
    room_id: roomId,
    sender: `@user:${origin}`,
    signatures: {},
    type: "m.room.message",
  };
}

/** Takes transactions for three rooms: the second does not admit the server, and in the third nobody of this one is. */
function scene() {
  const asked: string[] = [];
  const added: InboxEvent[] = [];
  const transactions = new InboundTransactions({
    rooms: {
      find: (roomId) => Promise.resolve({ roomNid: Number(roomId[1]), roomId: roomId as RoomId, version }),
    },
    participation: {
      isJoined: ({ roomNid }: Room) => {
        asked.push(`joined ${roomNid}`);
        return Promise.resolve(roomNid !== 3);
      },
      admits: ({ roomNid }: Room) => {
        asked.push(`admits ${roomNid}`);
        return Promise.resolve(roomNid !== 2);
      },
    },
    checks: {
      check: (_version, value) => {
        const event = value as Pdu;
        return Promise.resolve({
          event: toRoomEvent(version, event),
          encoded: new EncodedEvent(version, event),
        });
      },
    },
    withdrawals: { receive: () => Promise.resolve() },
    inboxes: {
      add: (events) => {
        added.push(...events);
        return Promise.resolve([]);
      },
      relieved: () => Promise.resolve(),
    },
    edus: { receive: () => Promise.resolve() },
    clock: systemClock,
  });
  return { transactions, asked, added };
}

t.test("what a server may send of a room is found out once for a transaction", async (t) => {
  const { transactions, asked, added } = scene();
  const pdus = Array.from({ length: 30 }, (_, index) => pdu(`!${(index % 3) + 1}:a.test`, index + 1));
  const results = Object.values(await transactions.receive(origin, "1", pdus, []));
  t.same(asked.toSorted(), ["admits 1", "admits 2", "joined 1", "joined 2", "joined 3"]);
  t.equal(results.length, 30);
  t.equal(results.filter(({ error }) => error === "The room's server ACL does not admit b.test.").length, 10);
  t.equal(added.length, 10);
  t.ok(added.every(({ roomNid }) => roomNid === 1));
  await transactions.receive(origin, "2", pdus.slice(0, 1), []);
  t.same(asked.slice(5), ["joined 1", "admits 1"], "the next transaction asks again");
});
