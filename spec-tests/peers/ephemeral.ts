import type { Test } from "tap";
import { login, registerUser, type TestClient } from "../support/client.ts";
import { createRoom, type Json, say } from "../support/rooms.ts";
import { patienceMs, until } from "../support/within.ts";
import { bothWays, type Meeting, type Peers, titleOf } from "./peer.ts";
import { joinVia, ok, roomPath, sees, seesInSync, seesState } from "../support/views.ts";

/** What is told of users, in rooms and out of them. */
export function testEphemeral(t: Test, { hearth, synapse }: Peers): void {
  for (const meeting of bothWays(hearth, synapse)) {
    const title = titleOf(meeting);
    t.test(`typing is told both ways, ${title}`, (t) => typing(t, meeting));
    t.test(`read receipts are told both ways, ${title}`, (t) => receipts(t, meeting));
    t.test(`presence is told both ways, ${title}`, (t) => presence(t, meeting));
    t.test(`profiles are shown and change, ${title}`, (t) => profiles(t, meeting));
    t.test(`messages to devices come in order, each once, ${title}`, (t) => toDevice(t, meeting));
    t.test(`new and deleted devices are told of, ${title}`, (t) => devices(t, meeting));
  }
}

async function together({ host, guest }: Meeting) {
  const alice = await registerUser(host);
  const bob = await registerUser(guest);
  const roomId = await createRoom(alice);
  await joinVia(bob, roomId, host.name);
  await sees(alice, roomId, await say(bob, roomId, "hello"));
  const pairs: readonly (readonly [TestClient, TestClient])[] = [
    [alice, bob],
    [bob, alice],
  ];
  return { alice, bob, roomId, pairs };
}

function ephemeralOf(body: Json, roomId: string, type: string): Json | undefined {
  type Rooms = Record<string, { ephemeral?: { events: { type: string; content: Json }[] } }>;
  const rooms = (body["rooms"] as { join?: Rooms } | undefined)?.join;
  return rooms?.[roomId]?.ephemeral?.events.find((event) => event.type === type)?.content;
}

async function typing(t: Test, meeting: Meeting): Promise<void> {
  const { roomId, pairs } = await together(meeting);
  for (const [writer, reader] of pairs) {
    const type = async (isTyping: boolean) => {
      const path = roomPath(roomId, "typing", writer.userId);
      ok(await writer.put(path, { typing: isTyping, ...(isTyping && { timeout: 30_000 }) }), "typing");
    };
    const listed = (body: Json) =>
      ephemeralOf(body, roomId, "m.typing")?.["user_ids"] as string[] | undefined;
    const starts = seesInSync(reader, "typing", (body) => listed(body)?.includes(writer.userId));
    await type(true);
    t.ok(await starts, `${reader.userId} sees that somebody types`);
    await type(false);
    t.ok(
      await seesInSync(reader, "no typing", (body) => !(listed(body) ?? []).includes(writer.userId)),
      "and that they do no more",
    );
  }
}

async function receipts(t: Test, meeting: Meeting): Promise<void> {
  const { roomId, pairs } = await together(meeting);
  for (const [writer, reader] of pairs) {
    const eventId = await say(writer, roomId, "read this");
    await sees(reader, roomId, eventId);
    ok(await reader.post(roomPath(roomId, "receipt", "m.read", eventId), {}), "a receipt");
    const receipt = await seesInSync(writer, "a receipt", (body) => {
      const content = ephemeralOf(body, roomId, "m.receipt") as
        | Record<string, Record<string, Record<string, unknown>>>
        | undefined;
      return content?.[eventId]?.["m.read"]?.[reader.userId];
    });
    t.match(receipt, { ts: Number }, `${writer.userId} sees when it was read`);
  }
}

async function presence(t: Test, meeting: Meeting): Promise<void> {
  const { pairs } = await together(meeting);
  for (const [one, other] of pairs) {
    const status = `at lunch ${one.userId}`;
    const path = `/_matrix/client/v3/presence/${encodeURIComponent(one.userId)}/status`;
    ok(await one.put(path, { presence: "online", status_msg: status }), "setting presence");
    const seen = await seesInSync(other, `presence of ${one.userId}`, (body) => {
      const { events = [] } = (body["presence"] ?? {}) as { events?: { sender: string; content: Json }[] };
      return events.find(({ sender, content }) => sender === one.userId && content["status_msg"] === status);
    });
    t.equal(seen.content["presence"], "online", `${other.userId} sees that they are there`);
  }
}

async function profiles(t: Test, meeting: Meeting): Promise<void> {
  const { roomId, pairs } = await together(meeting);
  for (const [one, other] of pairs) {
    const path = `/_matrix/client/v3/profile/${encodeURIComponent(one.userId)}`;
    ok(await one.put(`${path}/displayname`, { displayname: "The One" }), "a display name");
    const member = ["m.room.member", one.userId] as const;
    await seesState(other, roomId, member, ({ displayname }) => displayname === "The One");
    const shown = await until(patienceMs, "the profile", async () => {
      const { status, body } = await other.get(path);
      return status === 200 && body["displayname"] === "The One" && body;
    });
    t.equal(shown["displayname"], "The One");
  }
}

async function toDevice(t: Test, meeting: Meeting): Promise<void> {
  const { pairs } = await together(meeting);
  for (const [one, other] of pairs) {
    const wanted = Array.from({ length: 30 }, (_, index) => index);
    for (const index of wanted) {
      const path = `/_matrix/client/v3/sendToDevice/org.example.number/${one.deviceId}${index}`;
      const messages = { [other.userId]: { [other.deviceId]: { index } } };
      ok(await one.put(path, { messages }), "a message to a device");
    }
    const got: unknown[] = [];
    await seesInSync(other, "all messages to the device", (body) => {
      const { events = [] } = (body["to_device"] ?? {}) as { events?: { content: Json; sender: string }[] };
      got.push(
        ...events.filter(({ sender }) => sender === one.userId).map(({ content }) => content["index"]),
      );
      return got.length >= wanted.length;
    });
    t.same(got, wanted);
  }
}

async function devices(t: Test, meeting: Meeting): Promise<void> {
  const { pairs } = await together(meeting);
  for (const [one, other] of pairs) {
    const listed = async () => {
      const query = { device_keys: { [one.userId]: [] } };
      const body = ok(await other.post("/_matrix/client/v3/keys/query", query), "a query for keys");
      return Object.keys((body["device_keys"] as Record<string, object> | undefined)?.[one.userId] ?? {});
    };
    const known = await listed();
    const before = ok(await other.get("/_matrix/client/v3/sync?timeout=0"), "syncing")["next_batch"];
    const second = await login(one.server, one, { deviceName: "Second" });
    await uploadKeys(second);
    let since = String(before);
    await until(patienceMs, "news of a device", async () => {
      const body = ok(await other.get(`/_matrix/client/v3/sync?timeout=500&since=${since}`), "syncing");
      since = String(body["next_batch"]);
      const { changed = [] } = (body["device_lists"] ?? {}) as { changed?: string[] };
      return changed.includes(one.userId);
    });
    await until(patienceMs, "the new device", async () => (await listed()).includes(second.deviceId));
    ok(await second.post("/_matrix/client/v3/logout", {}), "logging out");
    await until(patienceMs, "the device to go", async () => !(await listed()).includes(second.deviceId));
    t.same(await listed(), known, `${other.userId} knows the devices that are left`);
  }
}

/** Keys of no use: nobody encrypts with them. */
async function uploadKeys({ userId, deviceId, ...client }: TestClient): Promise<void> {
  const key = Buffer.alloc(32, 7).toString("base64").replaceAll("=", "");
  const signature = Buffer.alloc(64, 7).toString("base64").replaceAll("=", "");
  const keys = { [`ed25519:${deviceId}`]: key, [`curve25519:${deviceId}`]: key };
  const response = await fetch(`${client.server.url}/_matrix/client/v3/keys/upload`, {
    method: "POST",
    headers: { Authorization: `Bearer ${client.accessToken}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      device_keys: {
        user_id: userId,
        device_id: deviceId,
        algorithms: ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
        keys,
        signatures: { [userId]: { [`ed25519:${deviceId}`]: signature } },
      },
    }),
  });
  if (!response.ok) throw new Error(`uploading keys: ${response.status} ${await response.text()}`);
}
