import t from "tap";
import { anonymous, registerUser, type TestClient } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");
const roomId = "!room:hearth.test";

function pathOf({ userId }: TestClient, type: string, room?: string): string {
  const place = room === undefined ? "" : `/rooms/${encodeURIComponent(room)}`;
  return `/_matrix/client/v3/user/${encodeURIComponent(userId)}${place}/account_data/${type}`;
}

t.test("setAccountData, getAccountData: what is set is read back, by its type", async (t) => {
  const content = { nested: { list: [1, "two", null] }, ["__proto__"]: { kept: true } };
  const set = await alice.put(pathOf(alice, "org.example.a"), content, "setAccountData");
  t.equal(set.status, 200);
  t.strictSame(set.body, {});
  const got = await alice.get(pathOf(alice, "org.example.a"), "getAccountData");
  t.equal(got.status, 200);
  t.equal(JSON.stringify(got.body), JSON.stringify(content));
  await alice.put(pathOf(alice, "org.example.a"), { changed: 1 });
  t.strictSame((await alice.get(pathOf(alice, "org.example.a"))).body, { changed: 1 });
  const missing = await alice.get(pathOf(alice, "org.example.b"), "getAccountData");
  t.equal(missing.status, 404);
  t.equal(missing.body["errcode"], "M_NOT_FOUND");
});

t.test(
  "setAccountDataPerRoom, getAccountDataPerRoom: each room has its own, and nothing is inherited",
  async (t) => {
    await alice.put(pathOf(alice, "org.example.room"), { of: "nobody" });
    t.equal(
      (await alice.get(pathOf(alice, "org.example.room", roomId), "getAccountDataPerRoom")).status,
      404,
    );
    const set = await alice.put(
      pathOf(alice, "org.example.room", roomId),
      { of: "room" },
      "setAccountDataPerRoom",
    );
    t.equal(set.status, 200);
    t.strictSame((await alice.get(pathOf(alice, "org.example.room", roomId))).body, { of: "room" });
    t.strictSame((await alice.get(pathOf(alice, "org.example.room"))).body, { of: "nobody" });
    t.equal((await alice.get(pathOf(alice, "org.example.room", "!other:hearth.test"))).status, 404);
  },
);

t.test("setAccountDataPerRoom, getAccountDataPerRoom: a room ID has to be one", async (t) => {
  for (const room of ["#room:hearth.test", "!room", "x"]) {
    const set = await alice.put(pathOf(alice, "a", room), {}, "setAccountDataPerRoom");
    t.equal(set.status, 400, room);
    t.equal(set.body["errcode"], "M_INVALID_PARAM");
    const got = await alice.get(pathOf(alice, "a", room), "getAccountDataPerRoom");
    t.equal(got.status, 400, room);
    t.equal(got.body["errcode"], "M_INVALID_PARAM");
  }
});

t.test("setAccountData, getAccountData and those of rooms: everybody has but their own", async (t) => {
  await alice.put(pathOf(alice, "org.example.secret"), { a: 1 });
  const answers = [
    await bob.put(pathOf(alice, "org.example.secret"), {}, "setAccountData"),
    await bob.get(pathOf(alice, "org.example.secret"), "getAccountData"),
    await bob.put(pathOf(alice, "org.example.secret", roomId), {}, "setAccountDataPerRoom"),
    await bob.get(pathOf(alice, "org.example.secret", roomId), "getAccountDataPerRoom"),
  ];
  for (const { status, body } of answers) {
    t.equal(status, 403);
    t.equal(body["errcode"], "M_FORBIDDEN");
  }
  t.strictSame((await alice.get(pathOf(alice, "org.example.secret"))).body, { a: 1 });
  const nobody = await anonymous(server).get(pathOf(alice, "org.example.secret"));
  t.equal(nobody.status, 401);
  t.equal(nobody.body["errcode"], "M_MISSING_TOKEN");
});

t.test("setAccountData, setAccountDataPerRoom: what the server manages cannot be set", async (t) => {
  for (const type of ["m.fully_read", "m.push_rules"]) {
    for (const [path, operationId] of [
      [pathOf(alice, type), "setAccountData"],
      [pathOf(alice, type, roomId), "setAccountDataPerRoom"],
    ] as const) {
      const { status, body } = await alice.put(path, { global: {} }, operationId);
      t.equal(status, 405, path);
      t.equal(body["errcode"], "M_BAD_JSON");
    }
  }
  const rules = await alice.get(pathOf(alice, "m.push_rules"), "getAccountData");
  t.equal(rules.status, 200, "but it can be read");
  t.match(rules.body, { global: { override: Array, underride: Array } });
});

t.test("setAccountData: the content has to be a JSON object", async (t) => {
  for (const content of [[], "text", 1, null]) {
    const { status, body } = await alice.put(pathOf(alice, "org.example.c"), content, "setAccountData");
    t.equal(status, 400);
    t.equal(body["errcode"], "M_BAD_JSON");
  }
  const broken = await fetch(server.url + pathOf(alice, "org.example.c"), {
    method: "PUT",
    headers: { Authorization: `Bearer ${alice.accessToken}` },
    body: "{nothing",
  });
  t.equal(broken.status, 400);
  t.match(await broken.json(), { errcode: "M_NOT_JSON" });
  t.equal((await alice.get(pathOf(alice, "org.example.c"))).status, 404, "nothing was stored");
});

t.test("setAccountData: a type that is too long is refused", async (t) => {
  const { status, body } = await alice.put(pathOf(alice, "a".repeat(256)), {}, "setAccountData");
  t.equal(status, 400);
  t.equal(body["errcode"], "M_INVALID_PARAM");
});

t.test("setAccountData: what was set is there after a restart", async (t) => {
  await using own = await startServer();
  const carol = await registerUser(own, "carol");
  await carol.put(pathOf(carol, "m.direct"), { "@bob:hearth.test": [roomId] });
  await own.restart();
  t.strictSame((await carol.get(pathOf(carol, "m.direct"))).body, { "@bob:hearth.test": [roomId] });
});
