import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { PolicyServer } from "../support/policy-server.ts";
import { createRoom, join, type Json, leave, redact, say, setState, sync } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

// The policy server has the homeserver's own name, so that its users are those of the policy server: it is no server of
// its own that would have to join the room.

const policy = await PolicyServer.start(t);
const server = await startServer({
  server_name: policy.name,
  ...(await policy.configFor(t.testdir())),
});
t.teardown(() => server[Symbol.asyncDispose]());
const v3 = "/_matrix/client/v3/rooms";
let transactions = 0;

function send(user: TestClient, roomId: string, body: string) {
  const path = `${v3}/${encodeURIComponent(roomId)}/send/m.room.message/policy-${++transactions}`;
  return user.put(path, { msgtype: "m.text", body });
}

async function checkedRoom(content: Json = policy.policy, type = "m.room.policy") {
  policy.verdict = () => "sign";
  const user = await registerUser(server);
  const roomId = await createRoom(user, { preset: "public_chat" });
  policy.questions.length = 0;
  await setState(user, roomId, type, content);
  return { user, roomId };
}

async function bodiesIn(user: TestClient, roomId: string): Promise<unknown[]> {
  return (await sync(user)).bodies(roomId);
}

t.test(
  "sendMessage, setRoomStateWithKey, joinRoomById: events are signed before they are sent",
  async (t) => {
    const { user, roomId } = await checkedRoom();
    t.same(policy.questions, [], "but not the one that names the policy server");
    const eventId = await say(user, roomId, "hello");
    const [question] = policy.questions;
    t.match(question, {
      path: "/_matrix/policy/v1/sign",
      authorization: new RegExp(
        `^X-Matrix origin="${policy.name}",destination="${policy.name}",key="ed25519:`,
      ),
      event: {
        type: "m.room.message",
        sender: user.userId,
        content: { body: "hello" },
        hashes: { sha256: String },
      },
    });
    const other = await registerUser(server);
    await join(other, roomId);
    await setState(user, roomId, "m.room.topic", { topic: "checked" });
    await setState(user, roomId, "m.room.policy", {}, "another key");
    await redact(user, roomId, eventId);
    await leave(other, roomId);
    t.same(
      policy.questions.map(({ event }) => event["type"]),
      [
        "m.room.message",
        "m.room.member",
        "m.room.topic",
        "m.room.policy",
        "m.room.redaction",
        "m.room.member",
      ],
    );
    const filter = { event_format: "federation" };
    const { body } = await user.get(
      `/_matrix/client/v3/sync?filter=${encodeURIComponent(JSON.stringify(filter))}`,
    );
    const rooms = body["rooms"] as { join: Record<string, { timeline: { events: Json[] } }> };
    const last = rooms.join[roomId]?.timeline.events.at(-1);
    t.match(last?.["signatures"], { [policy.name]: { "ed25519:policy_server": String } });
  },
);

t.test("sendMessage: what a policy server refuses is not sent, and its words are passed on", async (t) => {
  const { user, roomId } = await checkedRoom();
  const refuse = (status: number, body: Json) => {
    policy.verdict = ({ event }) =>
      (event["content"] as Json)["body"] === "spam" ? { status, body } : "sign";
  };
  refuse(400, { errcode: "M_FORBIDDEN", error: "No spam, please" });
  t.match(await send(user, roomId, "spam"), {
    status: 403,
    body: { errcode: "M_FORBIDDEN", error: "No spam, please" },
  });
  refuse(429, { errcode: "M_LIMIT_EXCEEDED", error: "Not so fast", retry_after_ms: 5_000 });
  const limited = await send(user, roomId, "spam");
  t.match(limited, {
    status: 429,
    body: { errcode: "M_LIMIT_EXCEEDED", error: "Not so fast", retry_after_ms: 5_000 },
  });
  for (const [status, body] of [
    [404, { errcode: "M_NOT_FOUND", error: "Unknown room" }],
    [400, { errcode: "M_BAD_JSON" }],
    [500, {}],
    [200, {}],
    [200, { [policy.name]: { "ed25519:policy_server": "nonsense" } }],
    [200, { [policy.name]: { "ed25519:policy_server": "A".repeat(86) } }],
    [200, { "other.test": { "ed25519:policy_server": "A".repeat(86) } }],
  ] as const) {
    refuse(status, body);
    const answer = await send(user, roomId, "spam");
    t.match(
      answer,
      { status: 403, body: { errcode: "M_FORBIDDEN", error: String } },
      JSON.stringify([status, body]),
    );
  }
  await say(user, roomId, "ham");
  t.same(await bodiesIn(user, roomId), ["ham"]);
});

t.test("sendMessage: a policy server that is not there refuses everything but being replaced", async (t) => {
  const { user, roomId } = await checkedRoom();
  policy.verdict = () => ({ status: 502, body: {} });
  t.match(await send(user, roomId, "hello"), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  await setState(user, roomId, "m.room.policy", {});
  policy.questions.length = 0;
  await say(user, roomId, "free");
  t.same(policy.questions, []);
  t.same(await bodiesIn(user, roomId), ["free"]);
});

t.test(
  "sendMessage: a room's policy that names no server, or one that is not in the room, is none",
  async (t) => {
    for (const content of [
      {},
      { via: policy.name },
      { via: policy.name, public_keys: {} },
      { via: policy.name, public_keys: { ed25519: 5 } },
      { via: 5, public_keys: { ed25519: policy.publicKey } },
      { via: "not a name", public_keys: { ed25519: policy.publicKey } },
      { via: "absent.test", public_keys: { ed25519: policy.publicKey } },
    ]) {
      const { user, roomId } = await checkedRoom(content);
      await say(user, roomId, "unchecked");
      t.same(policy.questions, [], JSON.stringify(content));
    }
  },
);

t.test("sendMessage: nothing is signed by a key that is none, or another", async (t) => {
  for (const ed25519 of ["nonsense", "6yhHGKhCiXTSEN2ksjV7kX/N6rBQZ3Xb+M7LlC6NS+s"]) {
    const { user, roomId } = await checkedRoom({ via: policy.name, public_keys: { ed25519 } });
    t.match(await send(user, roomId, "hello"), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  }
});

t.test("sendMessage: policy servers from before the specification had them", async (t) => {
  const { user, roomId } = await checkedRoom(
    { via: policy.name, public_key: policy.publicKey },
    "org.matrix.msc4284.policy",
  );
  await say(user, roomId, "checked");
  t.match(policy.questions, [{ path: "/_matrix/policy/unstable/org.matrix.msc4284/sign" }]);
  const known = await checkedRoom();
  policy.verdict = ({ path }) =>
    path?.includes("/v1/") ? { status: 404, body: { errcode: "M_UNRECOGNIZED", error: "?" } } : "sign";
  await say(known.user, known.roomId, "checked");
  t.same(
    policy.questions.map(({ path }) => path),
    ["/_matrix/policy/v1/sign", "/_matrix/policy/unstable/org.matrix.msc4284/sign"],
  );
});

t.test("createRoom: a room that names its policy server from the beginning", async (t) => {
  policy.verdict = () => "sign";
  const user = await registerUser(server);
  const roomId = await createRoom(user, {
    initial_state: [{ type: "m.room.policy", state_key: "", content: policy.policy }],
  });
  policy.questions.length = 0;
  await say(user, roomId, "checked");
  t.equal(policy.questions.length, 1);
});

t.test("sendMessage: rooms do not wait for each other's policy servers", async (t) => {
  const { user, roomId } = await checkedRoom();
  const other = await createRoom(user, {});
  const gate = Promise.withResolvers<void>();
  policy.verdict = () => undefined;
  const waiting = send(user, roomId, "unanswered").finally(gate.resolve);
  await say(user, other, "meanwhile");
  t.same(await bodiesIn(user, other), ["meanwhile"]);
  t.match(await waiting, { status: 403, body: { errcode: "M_FORBIDDEN" } }, "given up after a while");
});
