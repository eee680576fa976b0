import t from "tap";
import { SigningKey } from "./ed25519.ts";
import { addSignature, buildEvent } from "./event-builder.ts";
import type { RoomId, ServerName, UserId } from "./identifiers.ts";
import { isCheckedByPolicy, isSignedByPolicyServer, policyServerIn } from "./policy-server.ts";
import { rulesOfVersion } from "./testing/room-version.ts";

const policyKey = new SigningKey("ed25519:policy_server", Buffer.alloc(32, 5));
const via = "policy.test" as ServerName;
const stable = { via, public_keys: { ed25519: policyKey.publicKey } };
const unstable = { via, public_key: policyKey.publicKey };

t.test("a room's policy server is the one that its state names in full", async (t) => {
  t.match(policyServerIn(stable, undefined), {
    via,
    names: "stable",
    key: { publicKey: policyKey.publicKey },
  });
  t.match(policyServerIn(undefined, unstable), { via, names: "unstable" });
  t.match(policyServerIn(stable, unstable), { names: "stable" });
  t.match(policyServerIn({}, unstable), { names: "unstable" });
  t.match(policyServerIn({ via, public_keys: { ed25519: "no key" } }, undefined), { via, key: undefined });
  for (const content of [
    { via },
    { via, public_keys: [] },
    { via: "a b", public_keys: stable.public_keys },
  ]) {
    t.equal(policyServerIn(content, content), undefined);
  }
});

t.test("all events are checked but those that name the policy server", async (t) => {
  for (const [type, stateKey, isChecked] of [
    ["m.room.message", undefined, true],
    ["m.room.power_levels", "", true],
    ["m.room.policy", "", false],
    ["m.room.policy", "x", true],
    ["m.room.policy", undefined, true],
    ["org.matrix.msc4284.policy", "", false],
  ] as const) {
    t.equal(isCheckedByPolicy({ type, stateKey }), isChecked, `${type} ${stateKey}`);
  }
});

t.test("a policy server's signature counts beside the sender's, by the key of the room alone", async (t) => {
  const version = rulesOfVersion("11");
  const key = new SigningKey("ed25519:1", Buffer.alloc(32, 1));
  const build = () =>
    buildEvent(
      version,
      {
        roomId: "!room:a.test" as RoomId,
        type: "m.room.message",
        sender: "@alice:a.test" as UserId,
        content: { body: "hello" },
        depth: 1,
        prevEvents: [],
        authEvents: [],
        originServerTs: 1,
      },
      "a.test" as ServerName,
      key,
    );
  const server = policyServerIn(stable, undefined);
  if (!server) throw new Error("no policy server");
  for (const [signer, isSigned] of [
    [policyKey, true],
    [new SigningKey("ed25519:policy_server", Buffer.alloc(32, 6)), false],
    [new SigningKey("ed25519:other", Buffer.alloc(32, 5)), false],
  ] as const) {
    const built = build();
    const { eventId } = built.event;
    t.notOk(isSignedByPolicyServer(version, built.event.pdu, server, built.encoded));
    addSignature(built, via, signer.keyId, signer.sign(built.encoded.signedBytes()));
    t.equal(isSignedByPolicyServer(version, built.event.pdu, server, built.encoded), isSigned);
    t.match(Object.keys(built.event.pdu.signatures), ["a.test", via]);
    t.equal(built.event.eventId, eventId);
    t.match(built.encoded.text(), /"policy\.test":\{"ed25519:/);
  }
  const own = build();
  addSignature(own, "a.test" as ServerName, policyKey.keyId, policyKey.sign(own.encoded.signedBytes()));
  t.same(Object.keys(own.event.pdu.signatures["a.test"] ?? {}), ["ed25519:1", "ed25519:policy_server"]);
  t.throws(() => addSignature(build(), via, "ed25519:x", "x".repeat(65_536)), { name: "PduFormatError" });
});
