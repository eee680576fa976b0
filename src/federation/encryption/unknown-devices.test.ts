import t from "tap";
import type { JsonObject } from "../../protocol/json.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import type { ToldDeviceUpdate } from "../../storage/remote-device-lists.ts";
import { systemClock } from "../../telemetry/clock.ts";
import { UnknownDevices } from "./unknown-devices.ts";

const sender = "@peer:b.test";

/** Somebody with a current list of one device, and messages of theirs. */
function scene() {
  const updates: ToldDeviceUpdate[] = [];
  const wanted: string[] = [];
  const reads: string[] = [];
  let nowMs = 0;
  let isCurrent = true;
  const signed = JSON.stringify({ keys: { "curve25519:KNOWN": "identity", "ed25519:KNOWN": "other" } });
  const devices = new UnknownDevices({
    store: {
      currentDevice: (_userNid, deviceId) => {
        reads.push(deviceId);
        const found = { signed: deviceId === "KNOWN" ? signed : null };
        return Promise.resolve(isCurrent ? found : undefined);
      },
      update: (_userNid, _server, update) => {
        updates.push(update);
        return Promise.resolve("stale");
      },
    },
    names: { findUser: (userId) => Promise.resolve(userId === sender ? 7 : undefined) },
    resyncs: { wanted: (server) => wanted.push(server) },
    clock: { ...systemClock, monotonicMs: () => nowMs },
  });
  return {
    updates,
    wanted,
    reads,
    receive: (content: JsonObject, changes: Partial<RoomEvent> = {}) =>
      devices.received({ type: "m.room.encrypted", sender, content, ...changes } as RoomEvent),
    becomeStale: () => {
      isCurrent = false;
    },
    later: (ms: number) => {
      nowMs += ms;
    },
  };
}

t.test(
  "a device that is not in a current list, or has another key, makes the list be asked for",
  async (t) => {
    const { updates, wanted, receive } = scene();
    await receive({ device_id: "NEW" });
    t.match(updates, [{ deviceId: "NEW", streamId: null, keys: null }]);
    t.same(wanted, ["b.test"]);
    await receive({ device_id: "KNOWN", sender_key: "another" });
    await receive({ device_id: "KNOWN", sender_key: { a: 1 } });
    await receive({ device_id: "__proto__", sender_key: "identity" });
    t.equal(wanted.length, 4);
  },
);

t.test("whatever tells nothing new is let pass", async (t) => {
  const { wanted, reads, receive, becomeStale } = scene();
  await receive({ device_id: "KNOWN" });
  await receive({ device_id: "KNOWN", sender_key: "identity" });
  t.same(reads, ["KNOWN", "KNOWN"]);
  await receive({});
  await receive({ device_id: 5 });
  await receive({ device_id: "D".repeat(256) });
  await receive({ device_id: "NEW" }, { type: "m.room.message" });
  await receive({ device_id: "NEW" }, { sender: "@nobody:b.test" as RoomEvent["sender"] });
  t.equal(reads.length, 2, "nothing is read for these");
  becomeStale();
  await receive({ device_id: "NEW" });
  t.same(wanted, [], "a stale list is asked for already");
});

t.test("somebody who writes of ever new devices is asked about now and then", async (t) => {
  const { wanted, receive, later } = scene();
  for (let index = 0; index < 100; index++) await receive({ device_id: `NEW${index}` });
  t.equal(wanted.length, 5);
  later(60_000);
  for (let index = 0; index < 100; index++) await receive({ device_id: `NEWER${index}` });
  t.equal(wanted.length, 6);
});
