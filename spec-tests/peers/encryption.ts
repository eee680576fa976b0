import type { Test } from "tap";
import { Person, SdkDevice } from "../matrix-js-sdk/sdk-device.ts";
import { patienceMs, until } from "../support/within.ts";
import { bothWays, type Meeting, type Peer, type Peers, titleOf } from "./peer.ts";

/** End-to-end encryption by a real client on either side. */
export function testEncryption(t: Test, { hearth, synapse }: Peers): void {
  for (const meeting of bothWays(hearth, synapse)) {
    const title = titleOf(meeting);
    t.test(`encrypted messages are read on the other side, ${title}`, (t) => encrypted(t, meeting));
    t.test(`messages to a second device, and of the first after a restart, ${title}`, (t) =>
      later(t, meeting),
    );
  }
}

let people = 0;

async function someone(t: Test, peer: Peer): Promise<SdkDevice> {
  const device = await SdkDevice.register(peer, new Person(`person-${++people}`));
  t.teardown(() => device.stop());
  return device;
}

async function encryptedRoom(alice: SdkDevice, bob: SdkDevice): Promise<string> {
  const { room_id: roomId } = await alice.client.createRoom({
    invite: [bob.userId],
    initial_state: [
      { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } },
    ],
  });
  await bob.seesRoom(roomId);
  await bob.client.joinRoom(roomId);
  const room = await alice.seesRoom(roomId);
  await until(patienceMs, "the guest to come", () => room.getMember(bob.userId)?.membership === "join");
  const isEncrypted = ({ crypto }: SdkDevice) => crypto.isEncryptionEnabledInRoom(roomId);
  for (const device of [alice, bob]) await until(patienceMs, "encryption", () => isEncrypted(device));
  return roomId;
}

async function tell(t: Test, roomId: string, from: SdkDevice, to: SdkDevice, text: string): Promise<void> {
  const { event_id: eventId } = await from.client.sendTextMessage(roomId, text);
  const event = await to.sees(roomId, eventId);
  t.same([event.isEncrypted(), event.getContent()["body"]], [true, text], `${to.name} reads “${text}”`);
}

async function encrypted(t: Test, { host, guest }: Meeting): Promise<void> {
  const alice = await someone(t, host);
  const bob = await someone(t, guest);
  const roomId = await encryptedRoom(alice, bob);
  for (let round = 0; round < 3; round++) {
    await tell(t, roomId, alice, bob, `from Alice ${round}`);
    await tell(t, roomId, bob, alice, `from Bob ${round}`);
  }
}

async function later(t: Test, { host, guest }: Meeting): Promise<void> {
  const alice = await someone(t, host);
  const bob = await someone(t, guest);
  const roomId = await encryptedRoom(alice, bob);
  await tell(t, roomId, alice, bob, "first");
  const second = await SdkDevice.login(guest, bob.person);
  t.teardown(() => second.stop());
  const isKnown = async () => {
    const known = await alice.crypto.getUserDeviceInfo([bob.userId], true);
    return known.get(bob.userId)?.has(second.deviceId) === true;
  };
  await until(patienceMs, "the second device to be known", isKnown);
  await tell(t, roomId, alice, second, "to both");
  await tell(t, roomId, second, alice, "from the second");
  await guest.restart();
  await Promise.all([bob.reconnected(), second.reconnected()]);
  await tell(t, roomId, alice, bob, "after the restart");
  await tell(t, roomId, bob, alice, "still here");
}
