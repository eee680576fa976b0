import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");

function tagsPath({ userId }: TestClient, roomId: string, tag?: string): string {
  const end = tag === undefined ? "" : `/${encodeURIComponent(tag)}`;
  return `/_matrix/client/v3/user/${encodeURIComponent(userId)}/rooms/${encodeURIComponent(roomId)}/tags${end}`;
}

t.test("setRoomTag, getRoomTags, deleteRoomTag: a room's tags come and go", async (t) => {
  const roomId = "!tagged:hearth.test";
  t.strictSame((await alice.get(tagsPath(alice, roomId), "getRoomTags")).body, { tags: {} });
  const set = await alice.put(tagsPath(alice, roomId, "m.favourite"), { order: 0.25 }, "setRoomTag");
  t.equal(set.status, 200);
  t.strictSame(set.body, {});
  await alice.put(tagsPath(alice, roomId, "u.Work/Play"), { colour: "red" }, "setRoomTag");
  t.strictSame((await alice.get(tagsPath(alice, roomId), "getRoomTags")).body, {
    tags: { "m.favourite": { order: 0.25 }, "u.Work/Play": { colour: "red" } },
  });
  t.strictSame((await bob.get(tagsPath(bob, roomId))).body, { tags: {} }, "they are the user's own");
  t.equal(
    (await alice.delete(tagsPath(alice, roomId, "m.favourite"), undefined, "deleteRoomTag")).status,
    200,
  );
  t.equal((await alice.delete(tagsPath(alice, roomId, "u.never"), undefined, "deleteRoomTag")).status, 200);
  t.strictSame((await alice.get(tagsPath(alice, roomId))).body, {
    tags: { "u.Work/Play": { colour: "red" } },
  });
});

t.test("setRoomTag, getRoomTags: tags are the room's account data m.tag, whoever wrote it", async (t) => {
  const roomId = "!data:hearth.test";
  const dataPath = `/_matrix/client/v3/user/${alice.userId}/rooms/${roomId}/account_data/m.tag`;
  await alice.put(tagsPath(alice, roomId, "m.lowpriority"), {});
  t.strictSame((await alice.get(dataPath)).body, { tags: { "m.lowpriority": {} } });
  await alice.put(dataPath, { tags: "none", other: 1 });
  t.strictSame((await alice.get(tagsPath(alice, roomId), "getRoomTags")).body, { tags: {} });
  await alice.put(tagsPath(alice, roomId, "u.a"), { order: 1 });
  t.strictSame((await alice.get(dataPath)).body, { tags: { "u.a": { order: 1 } }, other: 1 });
});

t.test("setRoomTag: what is no tag is refused, and nothing is stored", async (t) => {
  const roomId = "!refused:hearth.test";
  const refused = [
    [tagsPath(alice, roomId, "u.a"), { order: "first" }, "M_BAD_JSON"],
    [tagsPath(alice, roomId, "u.a"), { order: 1.5 }, "M_BAD_JSON"],
    [tagsPath(alice, roomId, "u.a"), [], "M_BAD_JSON"],
    [tagsPath(alice, roomId, `u.${"é".repeat(127)}`), {}, "M_INVALID_PARAM"],
    [tagsPath(alice, "no room", "u.a"), {}, "M_INVALID_PARAM"],
  ] as const;
  for (const [path, body, errcode] of refused) {
    const answer = await alice.put(path, body, "setRoomTag");
    t.equal(answer.status, 400, path);
    t.equal(answer.body["errcode"], errcode);
  }
  t.strictSame((await alice.get(tagsPath(alice, roomId))).body, { tags: {} });
});

t.test("setRoomTag, getRoomTags, deleteRoomTag: nobody tags for somebody else", async (t) => {
  const roomId = "!hers:hearth.test";
  const answers = [
    await bob.put(tagsPath(alice, roomId, "u.a"), {}, "setRoomTag"),
    await bob.get(tagsPath(alice, roomId), "getRoomTags"),
    await bob.delete(tagsPath(alice, roomId, "u.a"), undefined, "deleteRoomTag"),
  ];
  for (const { status, body } of answers) {
    t.equal(status, 403);
    t.equal(body["errcode"], "M_FORBIDDEN");
  }
});
