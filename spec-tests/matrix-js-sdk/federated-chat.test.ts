import { setTimeout as delay } from "node:timers/promises";
import { EventType, MatrixError, MsgType, Preset, type UIAuthCallback } from "matrix-js-sdk";
import t, { type Test } from "tap";
import { startFederatedServers } from "../support/federated-servers.ts";
import { patienceMs, until } from "../support/within.ts";
import { Person, SdkDevice } from "./sdk-device.ts";
import { step } from "./step.ts";
import { compareEmoji } from "./verification.ts";

t.setTimeout(180_000);
const servers = await startFederatedServers(2);
t.teardown(() => servers[Symbol.asyncDispose]());
const [one, two] = servers;
if (!one || !two) throw new Error("two servers are needed");
const [alicePhone, bobPhone] = await Promise.all([
  SdkDevice.register(one, new Person("alice")),
  SdkDevice.register(two, new Person("bob")),
]);
const devices = [alicePhone, bobPhone];
t.teardown(() => {
  for (const device of devices) device.stop();
});

let roomId = "";

/** One device says something, and the others decrypt it. */
async function say(t: Test, from: SdkDevice, to: readonly SdkDevice[], body: string): Promise<void> {
  const { event_id: eventId } = await from.client.sendMessage(roomId, { msgtype: MsgType.Text, body });
  for (const device of to) {
    const event = await device.sees(roomId, eventId);
    t.equal(event.getContent()["body"], body);
    t.ok(event.isEncrypted());
  }
}

const password =
  (person: Person): UIAuthCallback<void> =>
  async (makeRequest) => {
    try {
      await makeRequest(null);
    } catch (error) {
      if (!(error instanceof MatrixError) || error.httpStatus !== 401) throw error;
      const { session } = error.data as { session: string };
      const identifier = { type: "m.id.user", user: person.localpart };
      await makeRequest({ type: "m.login.password", identifier, password: person.password, session });
    }
  };

await step("two people on two servers talk encrypted", async (t) => {
  for (const { crypto, person } of devices) {
    await crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys: password(person) });
  }
  const encryption = {
    type: EventType.RoomEncryption,
    state_key: "",
    content: { algorithm: "m.megolm.v1.aes-sha2" },
  };
  const { room_id: created } = await alicePhone.client.createRoom({
    preset: Preset.PrivateChat,
    invite: [bobPhone.userId],
    is_direct: true,
    initial_state: [encryption],
  });
  roomId = created;
  await bobPhone.seesRoom(roomId);
  await bobPhone.client.joinRoom(roomId, { viaServers: [one.name] });
  const room = await alicePhone.seesRoom(roomId);
  await until(
    patienceMs,
    "Bob to be in the room",
    () => room.getMember(bobPhone.userId)?.membership === "join",
  );
  await until(patienceMs, "Bob to know that the room is encrypted", () =>
    bobPhone.crypto.isEncryptionEnabledInRoom(roomId),
  );
  await say(t, alicePhone, [bobPhone], "Is it warm over there?");
  await say(t, bobPhone, [alicePhone], "It is warm.");
});

await step("they verify each other by emoji", async (t) => {
  const request = await alicePhone.crypto.requestVerificationDM(bobPhone.userId, roomId);
  const { ours, theirs } = await compareEmoji(request, bobPhone);
  t.equal(ours.length, 7);
  t.strictSame(ours, theirs);
  for (const [device, other] of [
    [alicePhone, bobPhone],
    [bobPhone, alicePhone],
  ] as const) {
    await until(patienceMs, `${device.name} to trust ${other.userId}`, async () =>
      (await device.crypto.getUserVerificationStatus(other.userId)).isCrossSigningVerified(),
    );
  }
});

await step("one server restarts, and is away: what is said meanwhile is read afterwards", async (t) => {
  let said = "";
  await two.restart(async () => {
    const content = { msgtype: MsgType.Text, body: "Where are you?" } as const;
    said = (await alicePhone.client.sendMessage(roomId, content)).event_id;
    // Long enough that the sending to the server fails.
    await delay(200);
  });
  await bobPhone.reconnected();
  // A server that is heard of is tried again at once.
  await say(t, bobPhone, [alicePhone], "Here again.");
  const event = await bobPhone.sees(roomId, said);
  t.equal(event.getContent()["body"], "Where are you?");
  await say(t, alicePhone, [bobPhone], "Good.");
});

await step("a new device that came during an outage is found and told the keys", async (t) => {
  const tablets: SdkDevice[] = [];
  await one.restart(async () => {
    tablets.push(await SdkDevice.login(two, bobPhone.person));
  });
  devices.push(...tablets);
  await alicePhone.reconnected();
  await say(t, bobPhone, [alicePhone], "I have a tablet now.");
  await until(patienceMs, "Alice to know of the tablet", async () => {
    const known = await alicePhone.crypto.getUserDeviceInfo([bobPhone.userId], true);
    return tablets.every(({ deviceId }) => known.get(bobPhone.userId)?.has(deviceId));
  });
  await say(t, alicePhone, [bobPhone, ...tablets], "Can you read this on both?");
});
