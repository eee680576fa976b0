import { EventType, MsgType, Preset } from "matrix-js-sdk";
import t from "tap";
import { passwordAuth, TestClient } from "../support/client.ts";
import { startServer } from "../support/server.ts";
import { patienceMs, until } from "../support/within.ts";
import { Person, SdkDevice } from "./sdk-device.ts";

t.setTimeout(180_000);
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

/** Cross-signing keys and secret storage, which a dehydrated device needs. */
async function setUp({ crypto, person, userId }: SdkDevice): Promise<void> {
  const identity = new TestClient(server, { userId, deviceId: "", accessToken: "" });
  const auth = { type: "m.login.password", ...passwordAuth(identity, person.password) };
  await crypto.bootstrapCrossSigning({
    authUploadDeviceSigningKeys: (makeRequest) => makeRequest(auth),
  });
  await crypto.bootstrapSecretStorage({
    createSecretStorageKey: async () => {
      const key = await crypto.createRecoveryKeyFromPassphrase();
      person.recoveryKey = key.privateKey;
      return key;
    },
  });
}

t.test("a message to somebody without any session is read in the next one", async (t) => {
  const [alice, bob] = [new Person("alice"), new Person("bob")];
  const phone = await SdkDevice.register(server, alice);
  const bobs = await SdkDevice.register(server, bob);
  t.teardown(() => bobs.stop());
  await setUp(phone);
  await setUp(bobs);
  t.ok(await phone.crypto.isDehydrationSupported(), "the server answers the probe");

  const { room_id: roomId } = await bobs.client.createRoom({
    preset: Preset.PrivateChat,
    invite: [phone.userId],
    initial_state: [
      { type: EventType.RoomEncryption, state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } },
    ],
  });
  await phone.seesRoom(roomId);
  await phone.client.joinRoom(roomId);
  await phone.crypto.startDehydration({ createNewKey: true });
  await phone.client.logout(true);
  phone.stop();

  const room = await bobs.seesRoom(roomId);
  await until(
    patienceMs,
    "Alice to be in the room",
    () => room.getMember(phone.userId)?.membership === "join",
  );
  await until(patienceMs, "Bob to know of the sleeping device only", async () => {
    const known = (await bobs.crypto.getUserDeviceInfo([phone.userId], true)).get(phone.userId);
    const devices = [...(known?.values() ?? [])];
    return devices.length === 1 && devices[0]?.dehydrated === true;
  });
  const message = { msgtype: MsgType.Text, body: "The key is under the mat." } as const;
  const { event_id: eventId } = await bobs.client.sendMessage(roomId, message);

  const laptop = await SdkDevice.login(server, alice);
  t.teardown(() => laptop.stop());
  // The crypto takes private keys from secret storage only for an identity that it has asked the server for.
  await until(patienceMs, "the laptop to know Alice's identity", () =>
    laptop.crypto.userHasCrossSigningKeys(),
  );
  await laptop.crypto.bootstrapCrossSigning({});
  await laptop.crypto.startDehydration();
  const read = await laptop.sees(roomId, eventId);
  t.equal(read.getContent()["body"], message.body);
  t.strictSame(
    laptop.answers.filter(({ request, status }) => request.includes("dehydrated_device") && status !== 200),
    [],
  );
});
