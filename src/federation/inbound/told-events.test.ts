import t from "tap";
import type { Receipt, ReceivedEvent } from "../../ingest/received-event.ts";
import type { RoomOutliers } from "../../ingest/room-outliers.ts";
import type { RoomId } from "../../protocol/identifiers.ts";
import type { JsonObject, JsonValue } from "../../protocol/json.ts";
import { rulesOfVersion } from "../../protocol/testing/room-version.ts";
import type { Room } from "../../state/room-index.ts";
import { systemClock } from "../../telemetry/clock.ts";
import { Pace } from "../../telemetry/pace.ts";
import type { PduChecks } from "./pdu-checks.ts";
import { ToldEvents } from "./told-events.ts";

const room: Room = { roomNid: 1, roomId: "!room:a.test" as RoomId, version: rulesOfVersion("11") };

/** An event as its ID and those that it rests on; one whose ID says so has a wrong signature. */
function pdu(eventId: string, ...authEventIds: string[]): JsonObject {
  return {
    event_id_of_test: eventId,
    type: "m.test",
    sender: "@a:a.test",
    room_id: "!room:a.test",
    content: {},
    auth_events: authEventIds,
    prev_events: [],
    depth: 1,
    origin_server_ts: 1,
    hashes: { sha256: "" },
    signatures: {},
  };
}

/** @param checking what a check waits for */
function scene(checking: Promise<void> = Promise.resolve()) {
  const stored = new Set<string>();
  const store = async (_room: Room, events: readonly ReceivedEvent[]): Promise<Receipt[]> =>
    events.map(({ event: { eventId, authEventIds } }) => {
      if (!authEventIds.every((id) => stored.has(id))) return { eventId, verdict: "incomplete" };
      stored.add(eventId);
      return { eventId, verdict: "accepted" };
    });
  const checkOrDrop = async (_version: unknown, value: JsonObject) => {
    await checking;
    const { event_id_of_test: eventId, auth_events: authEventIds, type } = value;
    if ((eventId as string).includes("forged")) return undefined;
    if ((eventId as string).includes("broken")) throw new Error("a fault of our own");
    return { event: { eventId, authEventIds, type }, encoded: { text: () => JSON.stringify(value) } };
  };
  const parts = {
    checks: { checkOrDrop } as unknown as PduChecks,
    outliers: { store } as unknown as RoomOutliers,
    pace: new Pace(systemClock),
  };
  return { told: new ToldEvents(parts, room), stored };
}

const texts = (events: readonly JsonValue[]) => events.map((event) => Buffer.from(JSON.stringify(event)));

t.test("what is forged is left out, and so is what rests on it: the rest of the state counts", async (t) => {
  const { told } = scene();
  await told.take(
    "state",
    texts([pdu("$member", "$create", "$forged"), pdu("$forged"), pdu("$name", "$create")]),
  );
  await told.take("chain", [pdu("$create"), pdu("$unseen", "$missing")]);
  await told.take("chain", [Buffer.from("{")]);
  await told.store();
  t.same(told.idsOf("state"), ["$name"]);
  t.same(told.idsOf("chain"), ["$create"]);
  t.same(told.idsOf("nothing"), []);
});

t.test("events that rest on each other in a circle are left out", async (t) => {
  const { told } = scene();
  await told.take("state", [pdu("$create"), pdu("$a", "$b"), pdu("$b", "$a")]);
  await told.store();
  t.same(told.idsOf("state"), ["$create"]);
});

t.test("while too many wait to be checked, no more are taken", async (t) => {
  const checked = Promise.withResolvers<void>();
  const { told, stored } = scene(checked.promise);
  let isReady = false;
  const many = Array.from({ length: 1_500 }, (_, index) => pdu(`$${index}`));
  const taking = told.take("state", many).then(() => (isReady = true));
  await new Promise((resolve) => setImmediate(resolve));
  t.notOk(isReady);
  checked.resolve();
  await taking;
  await told.store();
  t.equal(stored.size, 1_500);
});

t.test("a failure of our own is no fault of an event's", async (t) => {
  const { told } = scene();
  await told.take("state", [pdu("$broken")]);
  await t.rejects(told.store(), /a fault of our own/);
});
