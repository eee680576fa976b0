import t from "tap";
import type { JsonObject, JsonValue } from "../json.ts";
import type { RoomVersion } from "../room-versions.ts";
import { creatorsOf, type PowerLevels, powerLevelsOf, readLevel } from "./power-levels.ts";
import { allVersions, testEvent, user, versionNamed } from "./testing/test-event.ts";

function createEvent(version: RoomVersion, content: JsonObject = {}) {
  const creator: JsonObject = version.creatorIsSender ? {} : { creator: user("alice") };
  return testEvent(version, {
    type: "m.room.create",
    sender: "alice",
    key: "",
    content: { ...creator, ...content },
  });
}

function levels(version: RoomVersion, content: JsonObject | undefined, create: JsonObject = {}): PowerLevels {
  const event =
    content && testEvent(version, { type: "m.room.power_levels", sender: "alice", key: "", content });
  return powerLevelsOf(version, createEvent(version, create), event);
}

t.test("a room without power levels has the defaults, and a creator", async (t) => {
  for (const version of allVersions) {
    const found = levels(version, undefined);
    const { ban, kick, invite, redact } = found;
    t.strictSame({ ban, kick, invite, redact }, { ban: 50, kick: 50, invite: 0, redact: 50 });
    t.equal(found.eventLevel("m.room.topic", true), 50);
    t.equal(found.eventLevel("m.room.message", false), 0);
    t.equal(found.notificationLevel("room"), 50);
    t.equal(found.userLevel(user("alice")), version.privilegedCreators ? Number.POSITIVE_INFINITY : 100);
    t.equal(found.userLevel(user("bob")), 0);
  }
});

t.test("what the event says counts", async (t) => {
  for (const version of allVersions) {
    const found = levels(version, {
      users: { [user("bob")]: 7 },
      users_default: -1,
      events: { "m.room.topic": 1 },
      events_default: 2,
      state_default: 3,
      ban: 4,
      kick: 5,
      invite: 6,
      redact: 8,
      notifications: { room: 9 },
    });
    const { ban, kick, invite, redact } = found;
    t.strictSame({ ban, kick, invite, redact }, { ban: 4, kick: 5, invite: 6, redact: 8 });
    t.equal(found.eventLevel("m.room.topic", true), 1);
    t.equal(found.eventLevel("m.room.topic", false), 1);
    t.equal(found.eventLevel("m.room.name", true), 3);
    t.equal(found.eventLevel("toString", false), 2, "not a property of every object");
    t.equal(found.notificationLevel("room"), 9);
    t.equal(found.userLevel(user("bob")), 7);
    t.equal(found.userLevel("constructor"), -1);
    t.equal(found.userLevel(user("alice")), version.privilegedCreators ? Number.POSITIVE_INFINITY : -1);
  }
});

t.test("what cannot be read falls back to the default", async (t) => {
  for (const version of allVersions) {
    const found = levels(version, {
      users: [],
      events: "none",
      notifications: null,
      ban: {},
      users_default: null,
    });
    t.equal(found.ban, 50);
    t.equal(found.userLevel(user("bob")), 0);
    t.equal(found.eventLevel("m.room.topic", true), 50);
    t.equal(found.notificationLevel("room"), 50);
  }
});

t.test("creators", async (t) => {
  const create = { additional_creators: [user("bob"), 7, null, user("carol")] };
  for (const version of allVersions) {
    const expected = version.privilegedCreators ? ["alice", "bob", "carol"] : ["alice"];
    t.strictSame([...creatorsOf(version, createEvent(version, create))], expected.map(user));
    const level = levels(version, {}, create).userLevel(user("bob"));
    t.equal(level, version.privilegedCreators ? Number.POSITIVE_INFINITY : 0);
  }
  const named = createEvent(versionNamed("10"), { creator: user("bob") });
  t.strictSame(
    [...creatorsOf(versionNamed("10"), named)],
    [user("bob")],
    "until version 10 the content says who",
  );
  t.strictSame([...creatorsOf(versionNamed("11"), named)], [user("alice")], "later it is the sender");
});

t.test("one level", async (t) => {
  const readings: readonly (readonly [JsonValue, number | undefined, number | undefined])[] = [
    [50, 50, 50],
    [-50, -50, -50],
    [50.57, 50, undefined],
    [-50.57, -50, undefined],
    [5.114698e4, 51146, undefined],
    [Number.POSITIVE_INFINITY, undefined, undefined],
    ["100", 100, undefined],
    ["000100", 100, undefined],
    [" +100 ", 100, undefined],
    ["-100", -100, undefined],
    ["9".repeat(400), undefined, undefined],
    ["1e3", undefined, undefined],
    ["", undefined, undefined],
    [true, undefined, undefined],
    [null, undefined, undefined],
    [[50], undefined, undefined],
  ];
  for (const [value, lenient, strict] of readings) {
    t.equal(readLevel(versionNamed("9"), value), lenient, `${JSON.stringify(value)} until version 9`);
    t.equal(readLevel(versionNamed("10"), value), strict, `${JSON.stringify(value)} from version 10 on`);
  }
});

t.test("the same two events give the same object", async (t) => {
  const version = versionNamed("11");
  const [create, otherCreate] = [createEvent(version), createEvent(version)];
  const event = testEvent(version, { type: "m.room.power_levels", sender: "alice", key: "" });
  const first = powerLevelsOf(version, create, event);
  t.equal(powerLevelsOf(version, create, event), first);
  t.equal(powerLevelsOf(version, create, undefined), powerLevelsOf(version, create, undefined));
  t.not(powerLevelsOf(version, otherCreate, event), first);
  t.not(powerLevelsOf(versionNamed("12"), otherCreate, event), powerLevelsOf(version, otherCreate, event));
});
