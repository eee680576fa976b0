import t from "tap";
import type { UserId } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import { type RoomVersion, roomVersion } from "../../protocol/room-versions.ts";
import { closedPowerLevels, upgradedPowerLevels } from "./upgraded-state.ts";

const alice = "@alice:hearth.test" as UserId;
const bob = "@bob:hearth.test" as UserId;

function version(id: string): RoomVersion {
  const found = roomVersion(id);
  if (!found) throw new Error(`there is no room version ${id}`);
  return found;
}

/** The new power levels of a room that alice made and alice upgrades. */
function upgraded(from: string, to: string, powerLevels: JsonObject | undefined, upgrader = alice) {
  const create = { sender: alice, content: { creator: alice } } as unknown as RoomEvent;
  return upgradedPowerLevels(
    { version: version(from), create, powerLevels },
    { version: version(to), creators: [upgrader] },
  );
}

t.test("levels that were text become numbers, and what is no level is left away", async (t) => {
  const old = { users: { [alice]: "100", [bob]: "x" }, ban: " 60 ", kick: 55.7, redact: null, events: {} };
  t.strictSame(upgraded("9", "10", old), {
    initial: { users: { [alice]: 100 }, ban: 60, kick: 55, events: {} },
    final: undefined,
  });
});

t.test("the creator of a room without power levels stays its administrator", async (t) => {
  t.strictSame(upgraded("9", "11", undefined).initial, { users: { [alice]: 100 }, events: {} });
  const withCreators = upgraded("9", "12", undefined).initial;
  t.strictSame(withCreators, { users: {}, events: { "m.room.tombstone": 150 } });
});

t.test("who upgrades has the power to make the room for as long as it takes", async (t) => {
  const old = { users: { [alice]: 100, [bob]: 50 }, events: { "m.room.encryption": 100 }, ban: 75 };
  const { initial, final } = upgraded("10", "11", old, bob);
  t.match(initial, { users: { [alice]: 100, [bob]: 100 } });
  t.match(final, { users: { [alice]: 100, [bob]: 50 } });
  const { users: _users, ...byDefault } = { ...old, users_default: 100 };
  t.equal(upgraded("10", "11", byDefault, bob).final, undefined);
});

t.test("keys of power levels that users choose are nothing but keys", async (t) => {
  const old = JSON.parse('{"users":{"__proto__":50,"constructor":5},"events":{"__proto__":7}}') as JsonObject;
  t.equal(
    JSON.stringify(upgraded("10", "12", old).initial),
    '{"users":{"__proto__":50,"constructor":5},"events":{"__proto__":7,"m.room.tombstone":150}}',
  );
});

t.test("a replaced room takes more to send and to invite than members have", async (t) => {
  const closed = (content: JsonObject) => closedPowerLevels(version("11"), content);
  t.strictSame(closed({ ban: 5 }), { ban: 5, events_default: 50, invite: 50 });
  t.strictSame(closed({ users_default: 60 }), { users_default: 60, events_default: 61, invite: 61 });
  t.strictSame(closed({ events_default: 70, invite: 10 }), { events_default: 70, invite: 50 });
  t.equal(closed({ events_default: 50, invite: 100 }), undefined, "it does already");
});
