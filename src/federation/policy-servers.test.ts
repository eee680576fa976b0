import t from "tap";
import { SigningKey } from "../protocol/ed25519.ts";
import { buildEvent } from "../protocol/event-builder.ts";
import type { RoomId, ServerName, UserId } from "../protocol/identifiers.ts";
import type { JsonValue } from "../protocol/json.ts";
import type { RoomEvent } from "../protocol/pdu.ts";
import { rulesOfVersion } from "../protocol/testing/room-version.ts";
import type { Room } from "../state/room-index.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { FederationError, type FederationRequest } from "./federation-client.ts";
import { PolicyServers } from "./policy-servers.ts";

const version = rulesOfVersion("11");
const room: Room = { roomNid: 1, roomId: "!room:a.test" as RoomId, version };
const policyKey = new SigningKey("ed25519:policy_server", Buffer.alloc(32, 5));
const via = "policy.test";

function received() {
  const template = {
    roomId: room.roomId,
    type: "m.room.message",
    sender: "@alice:a.test" as UserId,
    content: { body: "hello" },
    depth: 1,
    prevEvents: [],
    authEvents: [],
    originServerTs: 1,
  };
  return buildEvent(
    version,
    template,
    "a.test" as ServerName,
    new SigningKey("ed25519:1", Buffer.alloc(32, 1)),
  );
}

function scene(answer: (event: ReturnType<typeof received>) => JsonValue | Error) {
  const asked: FederationRequest[] = [];
  const event = received();
  const joined = { is: true, reads: 0 };
  const clock = new ManualClock();
  const servers = new PolicyServers({
    client: {
      async request(request) {
        asked.push(request);
        const said = answer(event);
        if (said instanceof Error) throw said;
        return said;
      },
    },
    memberships: {
      async hasJoinedFrom() {
        joined.reads += 1;
        return joined.is;
      },
    },
    clock,
  });
  const content = { via, public_keys: { ed25519: policyKey.publicKey } };
  const state = {
    event: async (type: string) =>
      type === "m.room.policy" ? ({ content } as unknown as RoomEvent) : undefined,
  };
  return { servers, asked, event, joined, state, clock };
}

const signature = (event: ReturnType<typeof received>) => ({
  [via]: { "ed25519:policy_server": policyKey.sign(event.encoded.signedBytes()) },
});

t.test("an event of another server that has the signature is wanted, and nobody is asked", async (t) => {
  const { servers, asked, event, state } = scene(signature);
  t.equal(await servers.recommends(room, event, state), true, "a signature is asked for when it is missing");
  t.equal(asked.length, 1);
  t.match(asked[0], { destination: via, method: "POST", uri: "/_matrix/policy/v1/sign" });
  t.equal(await servers.recommends(room, event, state), true);
  t.equal(asked.length, 1, "it has been put on the event");
});

t.test("without a signature it is not wanted", async (t) => {
  for (const answer of [
    new FederationError("refused", "no", { status: 400, errcode: "M_FORBIDDEN" }),
    new FederationError("unreachable", "gone"),
    {},
    { [via]: { "ed25519:policy_server": "A".repeat(86) } },
    { [via]: { "ed25519:policy_server": "A".repeat(70_000) } },
  ]) {
    const { servers, event, state } = scene(() => answer);
    t.equal(await servers.recommends(room, event, state), false);
  }
  const { servers, event, state } = scene(() => new Error("a fault of ours"));
  await t.rejects(servers.recommends(room, event, state), { message: "a fault of ours" });
});

t.test("whether the policy server is in the room is remembered until somebody comes or goes", async (t) => {
  const { servers, asked, event, state, joined } = scene(signature);
  joined.is = false;
  t.equal(await servers.recommends(room, event, state), true);
  t.equal(await servers.recommends(room, event, state), true);
  t.equal(asked.length, 0);
  t.equal(joined.reads, 1);
  joined.is = true;
  const change = { position: 5, stream: "membership" as const, nid: 9 };
  servers.committed(5, [{ ...change, membership: { roomNid: 1, joined: true } }]);
  await servers.recommends(room, event, state);
  t.equal(asked.length, 1);
});

t.test("a server that talks to no others sends nothing to such a room", async (t) => {
  const servers = new PolicyServers({
    client: { request: () => Promise.reject(new FederationError("unreachable", "federation is off")) },
    memberships: { hasJoinedFrom: async () => true },
    clock: new ManualClock(),
  });
  const { event, state } = scene(signature);
  await t.rejects(servers.approve(room, event, state), { name: "MatrixError", errcode: "M_FORBIDDEN" });
});

t.test("one that cannot be reached is not asked again for a moment", async (t) => {
  const { servers, asked, event, state, clock } = scene(() => new FederationError("unreachable", "gone"));
  t.equal(await servers.recommends(room, event, state), false);
  t.equal(await servers.recommends(room, event, state), false);
  await t.rejects(servers.approve(room, event, state), { name: "MatrixError", errcode: "M_FORBIDDEN" });
  t.equal(asked.length, 1);
  clock.advance(10_000);
  t.equal(await servers.recommends(room, event, state), false);
  t.equal(asked.length, 2);
});
