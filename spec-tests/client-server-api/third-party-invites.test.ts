import { readFileSync, writeFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import t, { type Test } from "tap";
import { testCertificate } from "../../src/outbound/testing/certificate.ts";
import { anonymous, passwordAuth, registerUser, type TestClient } from "../support/client.ts";
import { addEmail } from "../support/contacts.ts";
import { FakeIdentityServer, publicKeyOfSeed } from "../support/fake-identity-server.ts";
import { MailServer } from "../support/mail-server.ts";
import { createRoom, join, type Json, read, setState, sync } from "../support/rooms.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { until } from "../support/within.ts";

// Messages take their way through real servers.
t.setTimeout(120_000);

const client = "/_matrix/client/v3";
const address = { medium: "email", address: "bob@example.org" };

function invite(user: TestClient, roomId: string, body: object) {
  const path = `${client}/rooms/${encodeURIComponent(roomId)}/invite`;
  return user.post(path, body, "inviteBy3PID");
}

async function membershipOf(user: TestClient, roomId: string, userId: string): Promise<unknown> {
  const path = `${client}/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${userId}`;
  return (await user.get(path)).body["membership"];
}

/** The room's invitations that wait, as its state has them. */
async function invitationsIn(
  user: TestClient,
  roomId: string,
): Promise<{ state_key: string; content: Json }[]> {
  const url = `${user.server.url}${client}/rooms/${encodeURIComponent(roomId)}/state`;
  const response = await fetch(url, { headers: { Authorization: `Bearer ${user.accessToken}` } });
  const events = (await response.json()) as { type: string; state_key: string; content: Json }[];
  return events.filter(({ type }) => type === "m.room.third_party_invite");
}

t.test("without an identity server, or any other way", async (t) => {
  const server = await startServer();
  t.teardown(() => server[Symbol.asyncDispose]());
  const alice = await registerUser(server);
  const thirdParty = { id_server: "id.example.org", id_access_token: "secret", ...address };

  t.test("createRoom: who cannot be found cannot be invited, and no room is made", async (t) => {
    const { nextBatch } = await sync(alice, { set_presence: "offline" });
    const create = (invited: unknown) =>
      alice.post(`${client}/createRoom`, { invite_3pid: invited }, "createRoom");
    const refused = await create([thirdParty]);
    t.equal(refused.status, 400);
    t.equal(refused.body["errcode"], "M_SERVER_NOT_TRUSTED");
    t.equal((await create([address])).body["errcode"], "M_THREEPID_DENIED");
    t.equal((await create([{ medium: "email" }])).body["errcode"], "M_BAD_JSON");
    t.equal((await create([{ medium: "email", address: "bob" }])).body["errcode"], "M_INVALID_PARAM");
    t.equal((await create(Array.from({ length: 21 }, () => address))).body["errcode"], "M_INVALID_PARAM");
    t.equal((await sync(alice, { set_presence: "offline" })).nextBatch, nextBatch, "nothing has changed");
    t.equal((await create([])).status, 200, "nobody is nobody");
  });

  t.test(
    "inviteBy3PID: refused, and nothing is sent; without anybody to invite it is M_BAD_JSON",
    async (t) => {
      const roomId = await createRoom(alice);
      t.equal((await invite(alice, roomId, thirdParty)).body["errcode"], "M_SERVER_NOT_TRUSTED");
      const refused = await invite(alice, roomId, address);
      t.equal(refused.status, 403);
      t.equal(refused.body["errcode"], "M_THREEPID_DENIED");
      t.equal((await invite(alice, roomId, {})).body["errcode"], "M_BAD_JSON");
      t.equal((await invite(alice, roomId, { ...address, id_server: "a" })).body["errcode"], "M_BAD_JSON");
      const members = await read(alice, "getMembersByRoom", roomId, "members");
      t.equal((members.body["chunk"] as unknown[]).length, 1);
    },
  );
});

async function withIdentityServer(t: Test): Promise<{ server: TestServer; identity: FakeIdentityServer }> {
  const identity = await FakeIdentityServer.start(testCertificate("127.0.0.1"));
  const caFile = joinPath(t.testdir(), "identity.pem");
  writeFileSync(caFile, identity.certificate);
  const server = await startServer({
    identity_servers: {
      allowed: [identity.host],
      allowed_private_ranges: ["127.0.0.0/8"],
      extra_ca_file: caFile,
    },
  });
  const [, , seed = ""] = readFileSync(joinPath(server.folder, "signing.key"), "utf8").trim().split(" ");
  identity.homeserverKey = publicKeyOfSeed(seed);
  t.teardown(async () => {
    await server[Symbol.asyncDispose]();
    await identity[Symbol.asyncDispose]();
  });
  return { server, identity };
}

t.test("with an identity server", async (t) => {
  const { server, identity } = await withIdentityServer(t);
  const access = { id_server: identity.host, id_access_token: identity.accessToken };

  t.test("inviteBy3PID: whoever it knows is invited", async (t) => {
    const [alice, bob] = [await registerUser(server), await registerUser(server)];
    identity.bindings.set("known@example.org email", bob.userId);
    const roomId = await createRoom(alice, { preset: "private_chat" });
    const known = { ...access, medium: "email", address: "Known@example.org" };
    t.equal((await invite(alice, roomId, { ...known, reason: "Hello" })).status, 200);
    t.equal(await membershipOf(alice, roomId, bob.userId), "invite");
    t.strictSame(await invitationsIn(alice, roomId), []);
    const again = await invite(bob, roomId, known);
    t.equal(again.status, 403, "who is not in the room invites nobody");
  });

  t.test(
    "inviteBy3PID, joinRoom: an invitation is left, signed for whoever proves the address, and taken",
    async (t) => {
      const [alice, bob, eve] = [
        await registerUser(server),
        await registerUser(server),
        await registerUser(server),
      ];
      const roomId = await createRoom(alice, { preset: "private_chat", name: "Club" });
      const stranger = { ...access, medium: "email", address: "stranger@example.org" };
      t.equal((await invite(alice, roomId, stranger)).status, 200);
      const stored = identity.invites.at(-1);
      t.match(stored?.request, {
        address: "stranger@example.org",
        medium: "email",
        room_id: roomId,
        sender: alice.userId,
        room_name: "Club",
        room_join_rules: "invite",
      });
      const [event] = await invitationsIn(alice, roomId);
      t.match(event, {
        state_key: stored?.token,
        content: {
          display_name: "b...@e...",
          public_key: identity.publicKey,
          public_keys: [{ public_key: identity.publicKey }],
        },
      });
      if (!stored) throw new Error("nothing was stored");
      const signed = identity.signInvite(stored, bob.userId);
      const joining = (user: TestClient, third_party_signed: unknown) =>
        user.post(`${client}/join/${encodeURIComponent(roomId)}`, { third_party_signed }, "joinRoom");
      t.equal((await joining(eve, signed)).status, 403, "signed for somebody else");
      const forged = { ...signed, mxid: eve.userId };
      t.equal((await joining(eve, forged)).status, 403, "the signature is not for this");
      t.equal((await joining(bob, { ...signed, token: "other" })).status, 403, "no such invitation");
      t.equal((await joining(bob, { mxid: bob.userId })).body["errcode"], "M_BAD_JSON");
      identity.isKeyValid = false;
      t.equal((await joining(bob, signed)).status, 403, "the key has been withdrawn");
      identity.isKeyValid = true;
      t.equal((await joining(bob, signed)).status, 200);
      t.equal(await membershipOf(alice, roomId, bob.userId), "join");
      t.equal((await joining(bob, signed)).status, 200, "a repeated join is one");
    },
  );

  t.test("joinRoomById: a withdrawn invitation is none", async (t) => {
    const [alice, bob] = [await registerUser(server), await registerUser(server)];
    const roomId = await createRoom(alice, { preset: "private_chat" });
    await invite(alice, roomId, { ...access, medium: "email", address: "withdrawn@example.org" });
    const stored = identity.invites.at(-1);
    if (!stored) throw new Error("nothing was stored");
    await setState(alice, roomId, "m.room.third_party_invite", {}, stored.token);
    const third_party_signed = identity.signInvite(stored, bob.userId);
    const path = `${client}/rooms/${encodeURIComponent(roomId)}/join`;
    t.equal((await bob.post(path, { third_party_signed }, "joinRoomById")).status, 403);
    t.equal(await membershipOf(alice, roomId, bob.userId), undefined);
  });

  t.test("inviteBy3PID: neither looked up nor left for who may not invite", async (t) => {
    const [alice, bob] = [await registerUser(server), await registerUser(server)];
    const roomId = await createRoom(alice, { power_level_content_override: { invite: 50 } });
    await join(bob, roomId);
    const before = identity.requests.length;
    t.equal((await invite(bob, roomId, { ...access, ...address })).status, 403);
    t.equal(identity.requests.length, before);
  });

  t.test("createRoom: some are found, others get an invitation", async (t) => {
    const [alice, bob] = [await registerUser(server), await registerUser(server)];
    identity.bindings.set("friend@example.org email", bob.userId);
    const invite_3pid = [
      { ...access, medium: "email", address: "friend@example.org" },
      { ...access, medium: "email", address: "new@example.org" },
    ];
    const { status, body } = await alice.post(`${client}/createRoom`, { invite_3pid }, "createRoom");
    t.equal(status, 200);
    const roomId = String(body["room_id"]);
    t.equal(await membershipOf(alice, roomId, bob.userId), "invite");
    t.equal((await invitationsIn(alice, roomId)).length, 1);
    t.match(identity.invites.at(-1)?.request, { address: "new@example.org", room_id: roomId });
  });

  t.test(
    "inviteBy3PID: what the identity server refuses is handed on, but never as the end of a session",
    async (t) => {
      const alice = await registerUser(server);
      const roomId = await createRoom(alice);
      const expired = await invite(alice, roomId, { ...access, ...address, id_access_token: "old" });
      t.equal(expired.status, 403);
      t.match(expired.body, { errcode: "M_FORBIDDEN" });
      const terms = { status: 403, body: { errcode: "M_TERMS_NOT_SIGNED", error: "Read the terms" } };
      identity.verdicts.set("/hash_details", terms);
      t.match((await invite(alice, roomId, { ...access, ...address })).body, terms.body);
      for (const verdict of [
        { status: 500, body: "<html>" },
        { status: 200, body: "no JSON" },
        { status: 200, body: {} },
      ]) {
        identity.verdicts.set("/hash_details", verdict);
        const answer = await invite(alice, roomId, { ...access, ...address });
        t.equal(answer.status, 502);
        t.match(answer.body, { errcode: "M_UNKNOWN" });
      }
      identity.verdicts.clear();
      t.strictSame(await invitationsIn(alice, roomId), []);
    },
  );

  t.test(
    "bind3PID, unbind3pidFromAccount: an address is published, and taken back by this server's signature",
    async (t) => {
      const alice = await registerUser(server);
      const contact = { medium: "email", address: "public@example.org" };
      identity.sessions.set("sid1", { secret: "s", ...contact });
      const bind = (body: object) =>
        alice.post(`${client}/account/3pid/bind`, { ...access, ...body }, "bind3PID");
      t.match((await bind({ sid: "sid1", client_secret: "x" })).body, { errcode: "M_SESSION_NOT_VALIDATED" });
      t.match((await bind({ sid: "sid1", client_secret: "s", id_server: "evil.test" })).body, {
        errcode: "M_SERVER_NOT_TRUSTED",
      });
      t.equal((await bind({ sid: "sid1", client_secret: "s" })).status, 200);
      t.equal(identity.bindings.get("public@example.org email"), alice.userId);
      const unbind = (body: object) =>
        alice.post(`${client}/account/3pid/unbind`, { ...contact, ...body }, "unbind3pidFromAccount");
      t.match((await unbind({ id_server: "evil.test" })).body, { errcode: "M_SERVER_NOT_TRUSTED" });
      t.strictSame((await unbind({})).body, { id_server_unbind_result: "success" });
      t.equal(identity.bindings.has("public@example.org email"), false);
      t.strictSame(
        (await unbind({})).body,
        { id_server_unbind_result: "no-support" },
        "nothing is bound any more",
      );
      identity.verdicts.set("/3pid/unbind", { status: 501, body: "" });
      t.strictSame((await unbind({ id_server: identity.host })).body, {
        id_server_unbind_result: "no-support",
      });
      const refusal = { errcode: "M_FORBIDDEN", error: "No" };
      identity.verdicts.set("/3pid/unbind", { status: 403, body: refusal });
      t.match((await unbind({ id_server: identity.host })).body, refusal);
      identity.verdicts.clear();
    },
  );

  t.test("deactivateAccount: published addresses are taken back", async (t) => {
    const alice = await registerUser(server);
    identity.sessions.set("sid2", { secret: "s", medium: "email", address: "end@example.org" });
    const bind = { ...access, sid: "sid2", client_secret: "s" };
    t.equal((await alice.post(`${client}/account/3pid/bind`, bind, "bind3PID")).status, 200);
    const end = await alice.post(
      `${client}/account/deactivate`,
      { auth: passwordAuth(alice) },
      "deactivateAccount",
    );
    t.strictSame(end.body, { id_server_unbind_result: "success" });
    t.equal(identity.bindings.has("end@example.org email"), false);
  });
});

t.test("by e-mail, this server being its own witness", async (t) => {
  const mails = await MailServer.start();
  const server = await startServer({
    ...mails.config,
    third_party_invites: { by_email: true, find_local_users: true },
  });
  t.teardown(async () => {
    await server[Symbol.asyncDispose]();
    await mails[Symbol.asyncDispose]();
  });
  const isValid = async (url: unknown, key: unknown) => {
    const { pathname } = new URL(String(url));
    const path = `${pathname}?public_key=${encodeURIComponent(String(key))}`;
    return (await anonymous(server).get(path)).body["valid"];
  };

  t.test("inviteBy3PID, isInviteKeyValid: whoever proves the address later is invited", async (t) => {
    const [alice, bob] = [await registerUser(server, "alice"), await registerUser(server)];
    const roomId = await createRoom(alice, { preset: "private_chat", name: "Club <b>\n www.spam.test" });
    t.equal((await invite(alice, roomId, { medium: "email", address: "later@example.org" })).status, 200);
    const mail = await mails.mail("later@example.org");
    t.match(mail.email.subject, /^alice \(@alice:hearth\.test\) invites you to Club <b>/);
    t.notMatch(mail.email.subject, /www\./);
    t.notMatch(mail.email.html, /<b>/);
    const [event] = await invitationsIn(alice, roomId);
    const { display_name: name, public_key: key, key_validity_url: url } = event?.content ?? {};
    t.equal(name, "l...@e...");
    t.equal(await isValid(url, key), true);
    t.equal(await isValid(url, "other"), false);
    await addEmail(bob, mails, "later@example.org");
    await until(
      15_000,
      "the invite",
      async () => (await membershipOf(alice, roomId, bob.userId)) === "invite",
    );
    const path = `${client}/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${bob.userId}?format=event`;
    t.match((await alice.get(path)).body, {
      sender: alice.userId,
      content: {
        membership: "invite",
        third_party_invite: {
          display_name: "l...@e...",
          signed: { mxid: bob.userId, token: event?.state_key },
        },
      },
    });
    t.equal(await isValid(url, key), false, "an invitation is good for one");
    await join(bob, roomId);
    t.equal(await membershipOf(alice, roomId, bob.userId), "join");
  });

  t.test("inviteBy3PID: who has the address already is invited at once, without a letter", async (t) => {
    const [alice, bob] = [await registerUser(server), await registerUser(server)];
    await addEmail(bob, mails, "here@example.org");
    const before = mails.to("here@example.org").length;
    const roomId = await createRoom(alice, { preset: "private_chat" });
    const untrusted = { id_server: "elsewhere.test", id_access_token: "x" };
    t.equal(
      (await invite(alice, roomId, { ...untrusted, medium: "email", address: "Here@example.org" })).status,
      200,
    );
    t.equal(await membershipOf(alice, roomId, bob.userId), "invite");
    t.strictSame(await invitationsIn(alice, roomId), []);
    t.equal(mails.to("here@example.org").length, before);
  });

  t.test("createRoom: invitations by e-mail; a withdrawn one invites nobody", async (t) => {
    const [alice, bob] = [await registerUser(server), await registerUser(server)];
    const invite_3pid = [{ medium: "email", address: "twice@example.org" }];
    const rooms = [await createRoom(alice, { invite_3pid }), await createRoom(alice, { invite_3pid })];
    await mails.mail("twice@example.org", 2);
    const [first = "", second = ""] = rooms;
    const [event] = await invitationsIn(alice, first);
    await setState(alice, first, "m.room.third_party_invite", {}, event?.state_key);
    await addEmail(bob, mails, "twice@example.org");
    await until(
      15_000,
      "the invite",
      async () => (await membershipOf(alice, second, bob.userId)) === "invite",
    );
    t.equal(await membershipOf(alice, first, bob.userId), undefined);
  });

  t.test("inviteBy3PID: an invitation outlives a restart", async (t) => {
    const [alice, bob] = [await registerUser(server), await registerUser(server)];
    const roomId = await createRoom(alice);
    await invite(alice, roomId, { medium: "email", address: "restart@example.org" });
    await server.restart();
    await addEmail(bob, mails, "restart@example.org");
    await until(
      15_000,
      "the invite",
      async () => (await membershipOf(alice, roomId, bob.userId)) === "invite",
    );
    t.equal(await membershipOf(alice, roomId, bob.userId), "invite");
  });

  t.test("inviteBy3PID: telephone numbers take an identity server", async (t) => {
    const alice = await registerUser(server);
    const roomId = await createRoom(alice);
    const phone = { medium: "msisdn", address: "447700900123" };
    t.equal((await invite(alice, roomId, phone)).body["errcode"], "M_THREEPID_DENIED");
  });
});
