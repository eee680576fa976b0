import t from "tap";
import { PduFormatError } from "./errors.ts";
import { assertFitsKeyLimits } from "./event-format.ts";
import { ownedStateKeyFault, stateKeyOwner } from "./owned-state.ts";
import { rulesOfVersion } from "./testing/room-version.ts";

t.test("the owner is named before the first underscore after the first colon", async (t) => {
  for (const [stateKey, owner] of [
    ["@alice:example.org", "@alice:example.org"],
    ["@alice:example.org_", "@alice:example.org"],
    ["@a_b:example.org_c_d", "@a_b:example.org"],
    ["@alice:example.org:8448_@:_", "@alice:example.org:8448"],
    ["@alice:exam_ple.org", "@alice:exam"],
    ["@prefix_@alice:example.org_x", "@prefix_@alice:example.org"],
    ["@alice", undefined],
    ["@_alice", undefined],
    ["@alice:_", undefined],
    ["@alice:example.org@x_y", undefined],
  ] as const) {
    t.equal(stateKeyOwner(stateKey), owner, stateKey);
    t.equal(ownedStateKeyFault(stateKey) === undefined, owner !== undefined, stateKey);
  }
});

t.test("a longest user ID may have a longest suffix", async (t) => {
  const longest = `@${"a".repeat(242)}:example.org`;
  t.equal(ownedStateKeyFault(`${longest}_${"é".repeat(127)}x`), undefined);
  t.type(ownedStateKeyFault(`${longest}_${"é".repeat(128)}`), "string");
  t.type(ownedStateKeyFault(`@a:example.org_${"é".repeat(128)}`), "string");
  t.equal(ownedStateKeyFault("x".repeat(255)), undefined);
  t.type(ownedStateKeyFault("é".repeat(128)), "string");
});

t.test("state keys may be longer where users own state", async (t) => {
  const event = { type: "org.example", state_key: `@a:example.org_${"x".repeat(250)}` };
  for (const id of ["org.matrix.msc3757.10", "org.matrix.msc3757.11"]) {
    t.doesNotThrow(() => assertFitsKeyLimits(rulesOfVersion(id), event));
    const tooLong = { ...event, state_key: "x".repeat(512) };
    t.throws(() => assertFitsKeyLimits(rulesOfVersion(id), tooLong), PduFormatError);
  }
  t.throws(() => assertFitsKeyLimits(rulesOfVersion("11"), event), PduFormatError);
});
