import {
  EventType,
  MatrixError,
  Method,
  MsgType,
  Preset,
  ReceiptType,
  RelationType,
  RoomEvent,
  type UIAuthCallback,
} from "matrix-js-sdk";
import type { KeyBackupInfo } from "matrix-js-sdk/lib/crypto-api/index.js";
import type { EncryptedFile } from "matrix-js-sdk/lib/types.js";
import sharp from "sharp";
import t, { type Test } from "tap";
import { ServerProcess } from "../support/server-process.ts";
import { patienceMs, until } from "../support/within.ts";
import { decryptAttachment, encryptAttachment } from "./encrypted-attachment.ts";
import { Person, SdkDevice } from "./sdk-device.ts";
import { step } from "./step.ts";
import { compareEmoji } from "./verification.ts";

t.setTimeout(180_000);
const server = await ServerProcess.start();
t.teardown(() => server[Symbol.asyncDispose]());
const [alice, bob] = [new Person("alice"), new Person("bob")];
const [alicePhone, bobPhone] = await Promise.all([
  SdkDevice.register(server, alice),
  SdkDevice.register(server, bob),
]);
const devices = [alicePhone, bobPhone];
t.teardown(() => {
  for (const device of devices) device.stop();
  for (const line of server.complaints) t.comment(line);
});

await step("cross-signing keys are made", async (t) => {
  for (const { crypto, person } of devices) {
    await crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys: password(person, []) });
    t.ok(await crypto.isCrossSigningReady());
  }
  t.ok(await bobPhone.crypto.userHasCrossSigningKeys(alicePhone.userId, true));
});

let roomId = "";
await step("an encrypted room: invite, join, messages both ways", async (t) => {
  const { room_id: created } = await alicePhone.client.createRoom({
    preset: Preset.PrivateChat,
    name: "The hearth",
    invite: [bobPhone.userId],
    is_direct: true,
    initial_state: [
      { type: EventType.RoomEncryption, state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } },
    ],
  });
  roomId = created;
  const invited = await bobPhone.seesRoom(roomId);
  t.equal(invited.getMyMembership(), "invite");
  await until(patienceMs, "the invite to tell the room's name", () => invited.name === "The hearth");
  await bobPhone.client.joinRoom(roomId);
  const room = await alicePhone.seesRoom(roomId);
  await until(
    patienceMs,
    "Bob to be in the room",
    () => room.getMember(bobPhone.userId)?.membership === "join",
  );
  await until(patienceMs, "Bob to know that the room is encrypted", () =>
    bobPhone.crypto.isEncryptionEnabledInRoom(roomId),
  );
  await say(t, alicePhone, bobPhone, "Is it warm?");
  await say(t, bobPhone, alicePhone, "It is warm.");
  await say(t, alicePhone, bobPhone, "Then I will come.");
  await seesSigned(bobPhone, alicePhone);
  await seesSigned(alicePhone, bobPhone);
});

await step("Alice and Bob verify each other by emoji", async (t) => {
  const request = await alicePhone.crypto.requestVerificationDM(bobPhone.userId, roomId);
  const { ours, theirs } = await compareEmoji(request, bobPhone);
  t.equal(ours.length, 7);
  t.strictSame(ours, theirs);
  await until(patienceMs, "Alice to trust Bob", async () =>
    (await alicePhone.crypto.getUserVerificationStatus(bobPhone.userId)).isCrossSigningVerified(),
  );
  await until(patienceMs, "Bob to trust Alice", async () =>
    (await bobPhone.crypto.getUserVerificationStatus(alicePhone.userId)).isCrossSigningVerified(),
  );
});

await step("Alice keeps her keys in secret storage and in a backup", async (t) => {
  const { crypto } = alicePhone;
  await crypto.bootstrapSecretStorage({
    createSecretStorageKey: async () => {
      const key = await crypto.createRecoveryKeyFromPassphrase();
      alice.recoveryKey = key.privateKey;
      return key;
    },
    setupNewKeyBackup: true,
  });
  t.ok(await crypto.isSecretStorageReady());
  await until(patienceMs, "the keys of both senders to be backed up", async () => {
    // The SDK's own call remembers what it was told when the backup was made.
    const backup = await alicePhone.client.http.authedRequest<KeyBackupInfo>(
      Method.Get,
      "/room_keys/version",
    );
    return backup.count === 2;
  });
});

await step("the server restarts, and the same devices go on", async (t) => {
  await server.restart();
  for (const device of devices) await device.reconnected();
  await say(t, alicePhone, bobPhone, "Still here?");
  await say(t, bobPhone, alicePhone, "Where else?");
});

await step(
  "a new device of Alice restores the backup and reads what was said before it was there",
  async (t) => {
    const laptop = await SdkDevice.login(server, alice);
    devices.push(laptop);
    const room = await laptop.seesRoom(roomId);
    await laptop.client.scrollback(room, 100);
    const said = ["Is it warm?", "It is warm.", "Then I will come.", "Still here?", "Where else?"];
    t.equal(textsIn(laptop).length, 0, "it has no keys yet");
    await laptop.crypto.loadSessionBackupPrivateKeyFromSecretStorage();
    const restored = await until(patienceMs, "the backup to have every key", async () => {
      const result = await laptop.crypto.restoreKeyBackup();
      return result.imported >= 2 && result;
    });
    t.equal(restored.imported, restored.total);
    await until(patienceMs, "the laptop to read everything", () => textsIn(laptop).length === said.length);
    t.strictSame(textsIn(laptop), said);
  },
);

await step("Alice's phone and laptop verify each other by emoji", async (t) => {
  const laptop = theLaptop();
  const request = await laptop.crypto.requestOwnUserVerification();
  const { ours, theirs } = await compareEmoji(request, alicePhone);
  t.equal(ours.length, 7);
  t.strictSame(ours, theirs);
  await seesSigned(alicePhone, laptop);
  await seesSigned(bobPhone, laptop);
  await say(t, bobPhone, laptop, "You have two devices now.");
  await say(t, laptop, bobPhone, "This is the second.");
});

await step("an edit, a reaction and a redaction", async (t) => {
  const target = await say(t, alicePhone, bobPhone, "I bring wod.");
  const seen = await bobPhone.sees(roomId, target);
  await alicePhone.client.sendMessage(roomId, {
    msgtype: MsgType.Text,
    body: "* I bring wood.",
    "m.new_content": { msgtype: MsgType.Text, body: "I bring wood." },
    "m.relates_to": { rel_type: RelationType.Replace, event_id: target },
  });
  await until(patienceMs, "Bob to see the edit", () => seen.getContent()["body"] === "I bring wood.");
  const reaction = { rel_type: RelationType.Annotation, event_id: target, key: "🔥" } as const;
  const { event_id: reactionId } = await bobPhone.client.sendEvent(roomId, EventType.Reaction, {
    "m.relates_to": reaction,
  });
  const room = await alicePhone.seesRoom(roomId);
  const reactions = () =>
    room.relations.getChildEventsForEvent(target, RelationType.Annotation, EventType.Reaction);
  await until(patienceMs, "Alice to see the reaction", () => reactions()?.getRelations().length === 1);
  t.match(reactions()?.getSortedAnnotationsByKey()?.[0]?.[0], "🔥");
  await bobPhone.client.redactEvent(roomId, reactionId);
  await until(patienceMs, "Alice to see the reaction go", () => reactions()?.getRelations().length === 0);
  await alicePhone.client.redactEvent(roomId, target, undefined, { reason: "I have none" });
  await until(patienceMs, "Bob to see the message go", () => seen.isRedacted());
  t.strictSame(seen.getContent(), {});
  t.equal(seen.getUnsigned().redacted_because?.content["reason"], "I have none");
});

await step("a thread, and the list of threads", async (t) => {
  const root = await say(t, alicePhone, bobPhone, "Who brings what?");
  const answers = ["I bring bread.", "And I cheese."];
  for (const body of answers) {
    await bobPhone.client.sendMessage(roomId, root, { msgtype: MsgType.Text, body });
  }
  const room = await alicePhone.seesRoom(roomId);
  const thread = await until(patienceMs, "Alice to see the thread", () => room.getThread(root));
  const texts = () => thread.events.map((event) => event.getContent()["body"]);
  const wanted = ["Who brings what?", ...answers];
  await until(patienceMs, "Alice to see the thread's messages", () => texts().length >= wanted.length);
  t.strictSame(texts(), wanted);
  await until(patienceMs, "Alice to see the thread's length", () => thread.length === answers.length);
  const laptopsRoom = await theLaptop().seesRoom(roomId);
  await laptopsRoom.createThreadsTimelineSets();
  await laptopsRoom.fetchRoomThreads();
  t.strictSame(
    laptopsRoom.getThreads().map(({ id }) => id),
    [root],
  );
});

await step("receipts, unread counts and typing", async (t) => {
  const room = await bobPhone.seesRoom(roomId);
  const last = await say(t, alicePhone, bobPhone, "Are you there?");
  await until(patienceMs, "Bob to have something unread", () => room.getUnreadNotificationCount() > 0);
  await bobPhone.client.sendTyping(roomId, true, 20_000);
  const alicesRoom = await alicePhone.seesRoom(roomId);
  const isBobTyping = () => alicesRoom.getMember(bobPhone.userId)?.typing ?? false;
  await until(patienceMs, "Alice to see Bob typing", isBobTyping);
  await bobPhone.client.sendTyping(roomId, false, 0);
  await until(patienceMs, "Alice to see that Bob types no more", () => !isBobTyping());
  const event = await bobPhone.sees(roomId, last);
  await bobPhone.client.sendReadReceipt(event, ReceiptType.Read, true);
  await until(patienceMs, "Alice to see that Bob has read", () =>
    alicesRoom.hasUserReadEvent(bobPhone.userId, last),
  );
  await until(patienceMs, "Bob to have nothing unread", () => room.getUnreadNotificationCount() === 0);
  const told: string[] = [];
  alicesRoom.on(RoomEvent.Receipt, (receipts) => told.push(...Object.keys(receipts.getContent())));
  const secret = await say(t, alicePhone, bobPhone, "And now?");
  await bobPhone.client.sendReadReceipt(await bobPhone.sees(roomId, secret), ReceiptType.ReadPrivate, true);
  await until(patienceMs, "Bob to have nothing unread again", () => room.getUnreadNotificationCount() === 0);
  const open = await say(t, alicePhone, bobPhone, "Are you?");
  await bobPhone.client.sendReadReceipt(await bobPhone.sees(roomId, open), ReceiptType.Read, true);
  await until(patienceMs, "Alice to hear of the public receipt", () => told.includes(open));
  t.notOk(told.includes(secret), "a private receipt is private");
});

await step("pictures: one encrypted, one for everybody with a thumbnail", async (t) => {
  const picture = await sharp({ create: { width: 640, height: 480, channels: 3, background: "#a03010" } })
    .png()
    .toBuffer();
  const bytes = new Uint8Array(picture);
  const { encrypted, info } = await encryptAttachment(bytes);
  const upload = await alicePhone.client.uploadContent(new Blob([encrypted]), {
    type: "application/octet-stream",
  });
  const { event_id: eventId } = await alicePhone.client.sendMessage(roomId, {
    msgtype: MsgType.Image,
    body: "fire.png",
    file: { ...info, url: upload.content_uri },
    info: { mimetype: "image/png", size: picture.length, w: 640, h: 480 },
  });
  const { file } = (await bobPhone.sees(roomId, eventId)).getContent<{ file: EncryptedFile }>();
  const fetched = await bobPhone.download(file.url);
  t.ok(Buffer.from(await decryptAttachment(await fetched.arrayBuffer(), file)).equals(picture));

  const plain = await alicePhone.client.uploadContent(new Blob([bytes], { type: "image/png" }), {
    name: "fire.png",
  });
  const whole = await bobPhone.download(plain.content_uri);
  t.equal(whole.headers.get("Content-Type"), "image/png");
  t.match(whole.headers.get("Content-Disposition"), /inline.*fire\.png/);
  t.ok(Buffer.from(await whole.arrayBuffer()).equals(picture));
  const thumbnail = await bobPhone.download(plain.content_uri, { width: 32, height: 32, method: "scale" });
  const { width } = await sharp(Buffer.from(await thumbnail.arrayBuffer())).metadata();
  t.ok(width > 0 && width < 640, `the thumbnail is ${width} pixels wide`);
  const stranger = await fetch(bobPhone.mediaUrl(plain.content_uri));
  t.equal(stranger.status, 401, "not without an access token");
  await alicePhone.client.setAvatarUrl(plain.content_uri);
  const room = await bobPhone.seesRoom(roomId);
  await until(
    patienceMs,
    "Bob to see Alice's new picture",
    () => room.getMember(alicePhone.userId)?.getMxcAvatarUrl() === plain.content_uri,
  );
});

await step("after another restart everything is as it was", async (t) => {
  await server.restart();
  for (const device of devices) await device.reconnected();
  await say(t, theLaptop(), bobPhone, "Good night.");
  await say(t, bobPhone, theLaptop(), "Sleep well.");
  for (const device of devices) {
    const { user_id: userId, device_id: deviceId } = await device.client.whoami();
    t.strictSame([userId, deviceId], [device.userId, device.deviceId]);
  }
});

await step("Alice logs her laptop out, and Bob sees that it is gone", async (t) => {
  const laptop = theLaptop();
  await laptop.client.logout(true);
  await until(patienceMs, "Bob to see one device of Alice", async () => {
    const known = await bobPhone.crypto.getUserDeviceInfo([alicePhone.userId]);
    return known.get(alicePhone.userId)?.size === 1;
  });
  await say(t, bobPhone, alicePhone, "Only you and me now.");
});

await step(
  "Bob replaces his cross-signing keys, which takes his password, and Alice is warned",
  async (t) => {
    const asked: string[] = [];
    const authUploadDeviceSigningKeys = password(bob, asked);
    await bobPhone.crypto.bootstrapCrossSigning({ setupNewCrossSigning: true, authUploadDeviceSigningKeys });
    t.strictSame(asked, ["m.login.password"]);
    const status = await until(patienceMs, "Alice to see that Bob's keys are others", async () => {
      const seen = await alicePhone.crypto.getUserVerificationStatus(bobPhone.userId);
      return !seen.isCrossSigningVerified() && seen;
    });
    t.ok(status.wasCrossSigningVerified());
  },
);

await step("the server has served everything", async (t) => {
  t.strictSame(server.complaints, []);
  const unserved = devices.flatMap(({ answers }) =>
    answers.filter(({ status, errcode }) => status >= 500 || errcode === "M_UNRECOGNIZED"),
  );
  t.strictSame([...new Set(unserved.map(({ request }) => request))], []);
});

function theLaptop(): SdkDevice {
  const laptop = devices[2];
  if (!laptop) throw new Error("Alice has no laptop yet");
  return laptop;
}

/** One says something, and the other reads it. @returns the event's ID */
async function say(t: Test, speaker: SdkDevice, listener: SdkDevice, body: string): Promise<string> {
  const { event_id: eventId } = await speaker.client.sendMessage(roomId, { msgtype: MsgType.Text, body });
  const heard = await listener.sees(roomId, eventId);
  t.match(
    { body: heard.getContent()["body"], sender: heard.getSender(), encrypted: heard.isEncrypted() },
    { body, sender: speaker.userId, encrypted: true },
  );
  return eventId;
}

/** What a device can read in the room. */
function textsIn(device: SdkDevice): unknown[] {
  const events = device.client.getRoom(roomId)?.getLiveTimeline().getEvents() ?? [];
  return events
    .filter((event) => event.getType() === "m.room.message" && event.getContent()["msgtype"] === MsgType.Text)
    .map((event) => event.getContent()["body"]);
}

/** One device sees that the owner of another has signed it. */
async function seesSigned(device: SdkDevice, other: SdkDevice): Promise<void> {
  await until(patienceMs, `${device.name} to see that ${other.name} is signed`, async () => {
    const status = await device.crypto.getDeviceVerificationStatus(other.userId, other.deviceId);
    return status?.signedByOwner;
  });
}

/** Answers the server when it asks for the password. */
function password(person: Person, asked: string[]): UIAuthCallback<void> {
  return async (makeRequest) => {
    try {
      await makeRequest(null);
    } catch (error) {
      if (!(error instanceof MatrixError) || error.httpStatus !== 401) throw error;
      const { flows, session } = error.data as { flows: { stages: string[] }[]; session: string };
      asked.push(...flows.flatMap(({ stages }) => stages));
      await makeRequest({
        type: "m.login.password",
        identifier: { type: "m.id.user", user: person.localpart },
        password: person.password,
        session,
      });
    }
  };
}
