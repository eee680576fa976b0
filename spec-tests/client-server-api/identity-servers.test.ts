import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { MailServer } from "../support/mail-server.ts";
import { createRoom, type Json } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";
import { Sydent, sydentPython } from "../support/sydent.ts";

// Messages take their way through real servers.
t.setTimeout(120_000);

const client = "/_matrix/client/v3";
const skip = sydentPython === undefined && "SYDENT_PYTHON names no Python with matrix-sydent";

t.test("with Sydent, a real identity server", { skip }, async (t) => {
  const mails = await MailServer.start();
  t.teardown(() => mails[Symbol.asyncDispose]());
  const sydent = await Sydent.start(sydentPython ?? "", mails);
  t.teardown(() => sydent[Symbol.asyncDispose]());
  const server = await startServer({
    identity_servers: sydent.settings,
  });
  t.teardown(() => server[Symbol.asyncDispose]());

  const invite = (user: TestClient, roomId: string, body: Json) =>
    user.post(`${client}/rooms/${encodeURIComponent(roomId)}/invite`, body, "inviteBy3PID");

  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  // Before Sydent has its database open for writing, which it then keeps for itself.
  const [aliceToken, bobToken] = [sydent.tokenFor(alice.userId), sydent.tokenFor(bob.userId)];
  const access = { id_server: sydent.host, id_access_token: aliceToken };

  t.test("bind3PID, inviteBy3PID: a published address is found", async (t) => {
    const email = "bob@example.org";
    const wish = { client_secret: "secret", email, send_attempt: 1 };
    const { sid } = await sydent.ask("/validate/email/requestToken", bobToken, wish);
    const token = /token=(\w+)/.exec((await mails.mail(email)).email.text ?? "")?.[1];
    const credentials = { sid, client_secret: "secret" };
    t.match(await sydent.ask("/validate/email/submitToken", bobToken, { ...credentials, token }), {
      success: true,
    });
    const bind = { ...credentials, id_server: sydent.host, id_access_token: bobToken };
    const bound = await bob.post(`${client}/account/3pid/bind`, bind, "bind3PID");
    t.equal(bound.status, 200, JSON.stringify(bound.body));
    const roomId = await createRoom(alice, { preset: "private_chat" });
    t.equal((await invite(alice, roomId, { ...access, medium: "email", address: email })).status, 200);
    const member = await alice.get(
      `${client}/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${bob.userId}`,
    );
    t.match(member.body, { membership: "invite" });
  });

  t.test("inviteBy3PID: an invitation is left for who is not known", async (t) => {
    const roomId = await createRoom(alice, { preset: "private_chat", name: "Club" });
    const email = "stranger@example.org";
    const answer = await invite(alice, roomId, { ...access, medium: "email", address: email });
    t.equal(answer.status, 200, JSON.stringify(answer.body));
    const text = (await mails.mail(email)).email.text ?? "";
    t.ok(text.includes(`${alice.userId} invites to Club`));
    const token = /: (\w+)/.exec(text.slice(text.indexOf("Club")))?.[1];
    const event = await alice.get(
      `${client}/rooms/${encodeURIComponent(roomId)}/state/m.room.third_party_invite/${String(token)}`,
    );
    t.match(event.body, { display_name: String, public_key: String, public_keys: [Object, Object] });
  });
});
