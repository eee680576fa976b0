import type { Test } from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { createRoom, type Json, leave, moderate, say, setState } from "../support/rooms.ts";
import { patienceMs, until } from "../support/within.ts";
import { bothWays, type Meeting, type Peers, titleOf } from "./peer.ts";
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

interface Pair {
  readonly alice: TestClient;
  readonly bob: TestClient;
}

async function pairOf({ host, guest }: Meeting): Promise<Pair> {
  return { alice: await registerUser(host), bob: await registerUser(guest) };
}

/** Joins, invites, knocks, and how they end. */
export function testMemberships(t: Test, { hearth, synapse }: Peers): void {
  for (const meeting of bothWays(hearth, synapse)) {
    const title = titleOf(meeting);
    t.test(`an invite is taken, ${title}`, (t) => invited(t, meeting));
    t.test(`an invite is refused, ${title}`, (t) => refused(t, meeting));
    t.test(`an invite is taken back, ${title}`, (t) => takenBack(t, meeting));
    t.test(`leaving, being kicked, banned and let in again, ${title}`, (t) => moderated(t, meeting));
    t.test(`a knock is answered, and taken back, ${title}`, (t) => knocks(t, meeting));
    t.test(`a restricted room lets in the members of another, ${title}`, (t) => restricted(t, meeting));
    t.test(`a guest invites others of their server, and of the host's, ${title}`, (t) =>
      inviting(t, meeting),
    );
  }
}

const privateRoom = { preset: "private_chat", name: "Study" };

async function invited(t: Test, meeting: Meeting): Promise<void> {
  for (const version of ["1", "6", "10", "12"]) {
    const { alice, bob } = await pairOf(meeting);
    const roomId = await createRoom(alice, { ...privateRoom, room_version: version, invite: [bob.userId] });
    const shown = JSON.stringify(await seesRoomAs(bob, "invite", roomId));
    t.match(shown, /Study/, "the invite shows the room's name");
    await joinVia(bob, roomId, meeting.host.name);
    await seesMembership(alice, roomId, bob.userId, "join");
    await sees(alice, roomId, await say(bob, roomId, "thank you"));
    await sees(bob, roomId, await say(alice, roomId, "sit down"));
    await seeTheSameState(t, roomId, alice, bob);
  }
}

async function refused(t: Test, meeting: Meeting): Promise<void> {
  const { alice, bob } = await pairOf(meeting);
  const roomId = await createRoom(alice, { ...privateRoom, invite: [bob.userId] });
  await seesRoomAs(bob, "invite", roomId);
  await leave(bob, roomId);
  const isNoInvite = ({ membership }: Json) => membership !== "invite";
  const member = await seesState(alice, roomId, ["m.room.member", bob.userId], isNoInvite);
  t.equal(member["membership"], "leave", "the host has been told");
}

async function takenBack(t: Test, meeting: Meeting): Promise<void> {
  const { alice, bob } = await pairOf(meeting);
  const roomId = await createRoom(alice, { ...privateRoom, invite: [bob.userId] });
  await seesRoomAs(bob, "invite", roomId);
  const isGone = seesRoomAs(bob, "leave", roomId);
  await moderate(alice, roomId, "kick", bob.userId);
  t.ok(await isGone, "the guest sees that there is no invite any more");
}

async function moderated(t: Test, meeting: Meeting): Promise<void> {
  const { alice, bob } = await pairOf(meeting);
  const { host } = meeting;
  const roomId = await createRoom(alice);
  const come = () => joinVia(bob, roomId, host.name);
  await come();
  await leave(bob, roomId);
  await seesMembership(alice, roomId, bob.userId, "leave");
  await come();
  await seesMembership(alice, roomId, bob.userId, "join");
  const isKicked = seesRoomAs(bob, "leave", roomId);
  await moderate(alice, roomId, "kick", bob.userId);
  await isKicked;
  await come();
  await moderate(alice, roomId, "ban", bob.userId);
  const isRefused = () =>
    come().then(
      () => undefined,
      (error: Error) => error.message,
    );
  t.match(
    await until(patienceMs, "the ban to come", isRefused),
    /M_FORBIDDEN/,
    "who is banned does not come in",
  );
  ok(await alice.post(roomPath(roomId, "unban"), { user_id: bob.userId }), "unbanning");
  await come();
  await sees(alice, roomId, await say(bob, roomId, "here again"));
  await seeTheSameState(t, roomId, alice, bob);
}

async function knocks(t: Test, meeting: Meeting): Promise<void> {
  const { alice, bob } = await pairOf(meeting);
  const { host } = meeting;
  const rules = { type: "m.room.join_rules", state_key: "", content: { join_rule: "knock" } };
  const roomId = await createRoom(alice, { ...privateRoom, initial_state: [rules] });
  const knock = async () => {
    const path = `/_matrix/client/v3/knock/${encodeURIComponent(roomId)}?via=${host.name}&server_name=${host.name}`;
    ok(await bob.post(path, { reason: "may I?" }), "knocking");
    await seesMembership(alice, roomId, bob.userId, "knock");
  };
  await knock();
  const shown = JSON.stringify(await seesRoomAs(bob, "knock", roomId));
  t.match(shown, /Study/, "the knock shows the room's name");
  // Synapse tells nobody that a knock has been taken back.
  if (meeting.guest.make !== "Synapse") {
    await leave(bob, roomId);
    await seesMembership(alice, roomId, bob.userId, "leave");
    await knock();
  }
  await moderate(alice, roomId, "invite", bob.userId);
  await seesRoomAs(bob, "invite", roomId);
  await joinVia(bob, roomId, host.name);
  await sees(alice, roomId, await say(bob, roomId, "thank you"));
  await seeTheSameState(t, roomId, alice, bob);
}

async function restricted(t: Test, meeting: Meeting): Promise<void> {
  const { alice, bob } = await pairOf(meeting);
  const { host, guest } = meeting;
  const club = await createRoom(alice, { name: "Club" });
  for (const version of ["8", "9", "10", "12"]) {
    const allow = [{ type: "m.room_membership", room_id: club }];
    const content = { join_rule: "restricted", allow };
    const rules = { type: "m.room.join_rules", state_key: "", content };
    const room = { ...privateRoom, room_version: version, initial_state: [rules] };
    const roomId = await createRoom(alice, room);
    const stranger = await registerUser(guest);
    const isRefused = { message: /M_FORBIDDEN|M_UNABLE/ };
    await t.rejects(joinVia(stranger, roomId, host.name), isRefused, "a stranger does not come in");
    await joinVia(bob, club, host.name);
    await joinVia(bob, roomId, host.name);
    await sees(alice, roomId, await say(bob, roomId, "members only"));
    await joinVia(stranger, club, host.name);
    await joinVia(stranger, roomId, host.name);
    await sees(alice, roomId, await say(stranger, roomId, "me too"));
    await seeTheSameState(t, roomId, alice, bob, stranger);
  }
}

async function inviting(t: Test, meeting: Meeting): Promise<void> {
  const { alice, bob } = await pairOf(meeting);
  const { host, guest } = meeting;
  const roomId = await createRoom(alice, { ...privateRoom, invite: [bob.userId] });
  await seesRoomAs(bob, "invite", roomId);
  await joinVia(bob, roomId, host.name);
  for (const peer of [guest, host]) {
    const carol = await registerUser(peer);
    await moderate(bob, roomId, "invite", carol.userId);
    await seesRoomAs(carol, "invite", roomId);
    await joinVia(carol, roomId, guest.name);
    const hello = await say(carol, roomId, "hello");
    await sees(alice, roomId, hello);
    await sees(bob, roomId, hello);
  }
  await setState(alice, roomId, "m.room.topic", { topic: "Full" });
  await seeTheSameState(t, roomId, alice, bob);
}
