import type { Test } from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { createRoom, type Json, say } from "../support/rooms.ts";
import { patienceMs, until } from "../support/within.ts";
import { bothWays, type IdentityService, type Meeting, type Peers, titleOf } from "./peer.ts";
import {
  joinVia,
  ok,
  roomPath,
  sees,
  seesMembership,
  seesRoomAs,
  seesState,
  seeTheSameState,
} from "../support/views.ts";

const v3 = "/_matrix/client/v3";
const privateRoom = { preset: "private_chat", name: "For those with addresses" };

/** Invites to e-mail addresses, by way of a real identity server. */
export function testThirdPartyInvites(t: Test, { hearth, synapse, identity }: Peers): void {
  if (identity === undefined) {
    t.comment("there is no identity server");
    return;
  }
  for (const meeting of bothWays(hearth, synapse)) {
    const title = titleOf(meeting);
    t.test(`whoever proves an address is invited, and found from then on, ${title}`, (t) =>
      invited(t, meeting, identity),
    );
    t.test(`an invite to an address that is taken back invites nobody, ${title}`, (t) =>
      takenBack(t, meeting, identity),
    );
  }
}

/** A user whose homeserver has vouched for them to the identity server. */
interface Known {
  readonly user: TestClient;
  /** What clients hand their homeserver to speak to the identity server for them. */
  readonly access: { readonly id_server: string; readonly id_access_token: string };
}

async function known(user: TestClient, { sydent }: IdentityService): Promise<Known> {
  const path = `${v3}/user/${encodeURIComponent(user.userId)}/openid/request_token`;
  const openId = ok(await user.post(path, {}), "an OpenID token");
  const { token } = await sydent.ask("/account/register", undefined, openId);
  return { user, access: { id_server: sydent.host, id_access_token: String(token) } };
}

async function pairOf({ host, guest }: Meeting, identity: IdentityService): Promise<[Known, Known]> {
  return [await known(await registerUser(host), identity), await known(await registerUser(guest), identity)];
}

/** Invites an address. @returns the key of the state event that stands for whoever has it */
async function invite({ user, access }: Known, roomId: string, address: string): Promise<string> {
  ok(await user.post(roomPath(roomId, "invite"), { ...access, medium: "email", address }), "inviting");
  const { body } = await user.get(`${roomPath(roomId, "messages")}?dir=b&limit=1`);
  const [last] = body["chunk"] as { type: string; state_key?: string }[];
  return last?.type === "m.room.third_party_invite" ? String(last.state_key) : "";
}

/** Proves to the identity server that an address is somebody's, and has it published. */
async function bind({ user, access }: Known, address: string, { sydent, mails }: IdentityService) {
  const secret = { client_secret: "a_secret" };
  const wish = { ...secret, email: address, send_attempt: 1 };
  const { sid } = await sydent.ask("/validate/email/requestToken", access.id_access_token, wish);
  // The other e-mails are invitations.
  const token = await until(patienceMs, `a token for ${address}`, () =>
    mails
      .to(address)
      .map(({ email }) => /token=(\w+)/.exec(email.text ?? "")?.[1])
      .find((found) => found !== undefined),
  );
  await sydent.ask("/validate/email/submitToken", access.id_access_token, { ...secret, sid, token });
  ok(await user.post(`${v3}/account/3pid/bind`, { ...secret, sid, ...access }), "publishing an address");
}

const addressOf = ({ user }: Known) => `${user.userId.slice(1, user.userId.indexOf(":"))}@example.org`;

async function invited(t: Test, meeting: Meeting, identity: IdentityService): Promise<void> {
  const [alice, bob] = await pairOf(meeting, identity);
  const roomId = await createRoom(alice.user, privateRoom);
  const token = await invite(alice, roomId, addressOf(bob));
  t.not(token, "", "nobody is known under the address");
  await bind(bob, addressOf(bob), identity);
  await seesRoomAs(bob.user, "invite", roomId);
  const member = ["m.room.member", bob.user.userId] as const;
  const content = await seesState(alice.user, roomId, member, ({ membership }) => membership === "invite");
  t.match(content["third_party_invite"], { signed: { mxid: bob.user.userId, token } }, "for the proof");
  await joinVia(bob.user, roomId, meeting.host.name);
  await sees(alice.user, roomId, await say(bob.user, roomId, "that was me"));
  await seeTheSameState(t, roomId, alice.user, bob.user);

  const other = await createRoom(alice.user, privateRoom);
  t.equal(await invite(alice, other, addressOf(bob)), "", "whose address is known is invited as such");
  const shown: Json = await seesRoomAs(bob.user, "invite", other);
  t.match(JSON.stringify(shown), /For those with addresses/);
}

async function takenBack(t: Test, meeting: Meeting, identity: IdentityService): Promise<void> {
  const [alice, bob] = await pairOf(meeting, identity);
  const [roomId, another] = [
    await createRoom(alice.user, privateRoom),
    await createRoom(alice.user, privateRoom),
  ];
  const token = await invite(alice, roomId, addressOf(bob));
  await invite(alice, another, addressOf(bob));
  const path = roomPath(roomId, "state", "m.room.third_party_invite", token);
  ok(await alice.user.put(path, {}), "taking an invite back");
  await bind(bob, addressOf(bob), identity);
  await seesRoomAs(bob.user, "invite", another);
  await seesMembership(alice.user, another, bob.user.userId, "invite");
  const { status } = await alice.user.get(roomPath(roomId, "state", "m.room.member", bob.user.userId));
  t.equal(status, 404, "the host has made no invite of it");
}
