import t from "tap";
import { anonymous, login, passwordAuth, registerAdmin, registerUser } from "../support/client.ts";
import {
  addEmail,
  addressesOf,
  confirm,
  confirmPath,
  emailRequests,
  newSecret,
  proveEmail,
  requestEmail,
} from "../support/contacts.ts";
import { linkIn, MailServer } from "../support/mail-server.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/within.ts";

// Messages take their way through real servers.
t.setTimeout(120_000);

const mails = await MailServer.start();
const server = await startServer(mails.config);
t.teardown(async () => {
  await server[Symbol.asyncDispose]();
  await mails[Symbol.asyncDispose]();
});
const client = "/_matrix/client/v3";

t.test("requestTokenTo3PIDEmail, add3PID, getAccount3PIDs: an address that was proved", async (t) => {
  const alice = await registerUser(server);
  t.strictSame(await addressesOf(alice), []);
  const secret = newSecret();
  const asked = await requestEmail(server, "add", "Alice@Example.org", { client_secret: secret });
  t.equal(asked.status, 200);
  const credentials = { sid: asked.body["sid"], client_secret: secret };
  const add = (body: object) => alice.post(`${client}/account/3pid/add`, body, "add3PID");
  t.match((await add(credentials)).body, { errcode: "M_THREEPID_AUTH_FAILED" }, "not yet");
  const mail = await mails.mail("alice@example.org");
  t.ok(mail.isEncrypted);
  t.match(mail.email, { subject: "Confirm your address for hearth.test", from: { name: "Example Chat" } });
  t.ok(mail.email.html?.includes(linkIn(mail).href.replaceAll("&", "&amp;")));
  t.strictSame((await confirm(server, mail)).body, { success: true });
  t.strictSame((await confirm(server, mail)).body, { success: true }, "people click twice");
  const demand = await add(credentials);
  t.equal(demand.status, 401);
  t.match(demand.body, { flows: [{ stages: ["m.login.password"] }] });
  t.match((await add({ ...credentials, client_secret: "other", auth: passwordAuth(alice) })).body, {
    errcode: "M_THREEPID_AUTH_FAILED",
  });
  t.equal((await add({ ...credentials, auth: passwordAuth(alice) })).status, 200);
  const { body } = await alice.get(`${client}/account/3pid`, "getAccount3PIDs");
  t.match(body, {
    threepids: [{ medium: "email", address: "alice@example.org", validated_at: Number, added_at: Number }],
  });
  t.match((await add({ ...credentials, auth: passwordAuth(alice) })).body, {
    errcode: "M_THREEPID_AUTH_FAILED",
  });
});

t.test("post3PIDs: the deprecated way, which a stolen access token is not enough for either", async (t) => {
  const alice = await registerUser(server);
  const three_pid_creds = await proveEmail(server, mails, "add", "old.client@example.org");
  const add = (body: object) => alice.post(`${client}/account/3pid`, body);
  t.equal((await add({ three_pid_creds })).status, 401);
  t.equal((await add({ three_pid_creds, auth: passwordAuth(alice) })).status, 200);
  t.strictSame(await addressesOf(alice), ["old.client@example.org"]);
});

t.test("add3PID: who proved an address, and for what, is what counts", async (t) => {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  const forPassword = await proveEmail(server, mails, "register", "purpose@example.org");
  const add = (body: object) => bob.post(`${client}/account/3pid/add`, body, "add3PID");
  t.match((await add({ ...forPassword, auth: passwordAuth(bob) })).body, {
    errcode: "M_THREEPID_AUTH_FAILED",
  });
  // Both prove the address before one of them has it.
  const first = await proveEmail(server, mails, "add", "both@example.org");
  const second = await proveEmail(server, mails, "add", "both@example.org");
  const taken = await alice.post(`${client}/account/3pid/add`, { ...first, auth: passwordAuth(alice) });
  t.equal(taken.status, 200);
  t.match((await add({ ...second, auth: passwordAuth(bob) })).body, { errcode: "M_THREEPID_IN_USE" });
});

t.test("delete3pidFromAccount: an address is free for somebody else", async (t) => {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  const address = "moving@example.org";
  await addEmail(alice, mails, address);
  const remove = (user: typeof alice, body: object) =>
    user.post(`${client}/account/3pid/delete`, body, "delete3pidFromAccount");
  t.match((await remove(bob, { medium: "email", address })).body, { errcode: "M_THREEPID_NOT_FOUND" });
  t.match((await remove(alice, { medium: "fax", address })).body, { errcode: "M_INVALID_PARAM" });
  const { status, body } = await remove(alice, { medium: "email", address: "Moving@Example.org" });
  t.equal(status, 200);
  t.strictSame(body, { id_server_unbind_result: "no-support" }, "no identity server knew it");
  t.strictSame(await addressesOf(alice), []);
  await addEmail(bob, mails, address);
  t.strictSame(await addressesOf(bob), [address]);
});

t.test("login: by an address, in whatever way a client names it", async (t) => {
  const alice = await registerUser(server);
  await addEmail(alice, mails, "login@example.org");
  const logIn = (body: object) =>
    anonymous(server).post(
      `${client}/login`,
      { type: "m.login.password", password: "correct horse battery staple", ...body },
      "login",
    );
  const identifier = { type: "m.id.thirdparty", medium: "email", address: "Login@example.org" };
  t.match((await logIn({ identifier })).body, { user_id: alice.userId });
  t.match((await logIn({ medium: "email", address: "login@example.org" })).body, { user_id: alice.userId });
  const refusals = [
    await logIn({ identifier, password: "wrong" }),
    await logIn({ identifier: { ...identifier, address: "nobody@example.org" } }),
    await logIn({ identifier: { type: "m.id.phone", country: "GB", phone: "07700 900123" } }),
  ];
  for (const { status, body } of refusals) {
    t.equal(status, 403);
    t.strictSame(body, refusals[0]?.body, "wrong passwords and unknown addresses are answered alike");
  }
  t.match((await logIn({ identifier: { ...identifier, address: "not one" } })).body, {
    errcode: "M_INVALID_PARAM",
  });
});

t.test("add3PID: the password stage takes the user's own address, and nobody else's", async (t) => {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  await addEmail(alice, mails, "stage@example.org");
  const identifier = { type: "m.id.thirdparty", medium: "email", address: "stage@example.org" };
  const auth = { type: "m.login.password", identifier, password: "correct horse battery staple" };
  const credentials = await proveEmail(server, mails, "add", "stage2@example.org");
  const refused = await bob.post(`${client}/account/3pid/add`, { ...credentials, auth }, "add3PID");
  t.match(refused.body, { errcode: "M_FORBIDDEN" });
  t.equal((await alice.post(`${client}/account/3pid/add`, { ...credentials, auth }, "add3PID")).status, 200);
});

t.test("changePassword, requestTokenToResetPasswordEmail: forgotten passwords", async (t) => {
  const alice = await registerUser(server);
  const address = "forgetful@example.org";
  await addEmail(alice, mails, address);
  const nobody = anonymous(server);
  const change = (body: object) => nobody.post(`${client}/account/password`, body, "changePassword");
  const demand = await change({ new_password: "another password" });
  t.equal(demand.status, 401);
  t.match(demand.body, { flows: [{ stages: ["m.login.email.identity"] }], session: String });
  const { session } = demand.body;
  const secret = newSecret();
  const asked = await requestEmail(server, "password", address, { client_secret: secret });
  const threepid_creds = { sid: asked.body["sid"], client_secret: secret };
  const auth = { type: "m.login.email.identity", threepid_creds, session };
  const early = await change({ new_password: "another password", auth });
  t.equal(early.status, 401, "not before the mail was read");
  t.match(early.body, { errcode: "M_UNAUTHORIZED", session });
  const mail = await mails.mail(address, 2);
  t.match(mail.email.subject, /new password/i);
  t.equal((await confirm(server, mail)).status, 200);
  t.equal((await change({ new_password: "short", auth })).body["errcode"], "M_WEAK_PASSWORD");
  t.equal((await change({ new_password: "another password", auth })).status, 200);
  t.match((await alice.get(`${client}/account/whoami`)).body, { errcode: "M_UNKNOWN_TOKEN" }, "signed out");
  t.ok(await login(server, alice, { password: "another password" }));
  await t.rejects(login(server, alice));
  t.match((await mails.mail(address, 3)).email.text, /was changed just now/);
  const again = await change({ new_password: "a third password", auth });
  t.equal(again.status, 401, "what was proved counts once");
});

t.test("changePassword: an address that was proved for something else resets nothing", async (t) => {
  const alice = await registerUser(server);
  await addEmail(alice, mails, "victim@example.org");
  const other = await proveEmail(server, mails, "register", "eve@example.org");
  const auth = { type: "m.login.email.identity", threepid_creds: other };
  const body = { new_password: "another password", auth };
  const answer = await anonymous(server).post(`${client}/account/password`, body, "changePassword");
  t.match(answer.body, { errcode: "M_THREEPID_AUTH_FAILED" });
  t.ok(await login(server, alice));
});

t.test("requestToken: answers do not tell who has an account; the address's owner learns it", async (t) => {
  const alice = await registerUser(server);
  const known = "known@example.org";
  await addEmail(alice, mails, known);
  const cases = [
    ["register", known, /There is one already/],
    ["add", known, /has it already/],
    ["password", "unknown@example.org", /No account there has it/],
  ] as const;
  for (const [purpose, address, words] of cases) {
    const before = mails.to(address).length;
    const { status, body } = await requestEmail(server, purpose, address);
    t.equal(status, 200, purpose);
    t.strictSame(Object.keys(body), ["sid"]);
    const { email } = await mails.mail(address, before + 1);
    t.match(email.text, words);
    t.notMatch(email.text, /https?:/, "there is nothing to confirm");
  }
});

t.test("requestToken: one client secret for all purposes tells nothing either", async (t) => {
  const alice = await registerUser(server);
  await addEmail(alice, mails, "oracle@example.org");
  for (const address of ["oracle@example.org", "no.oracle@example.org"]) {
    const wish = { client_secret: newSecret() };
    const sids = new Set<unknown>();
    for (const purpose of ["add", "register", "password"] as const) {
      sids.add((await requestEmail(server, purpose, address, wish)).body["sid"]);
    }
    t.equal(sids.size, 3, address);
  }
});

t.test("delete3pidFromAccount: who is suspended may add addresses, but not remove them", async (t) => {
  const admin = await registerAdmin(server);
  const alice = await registerUser(server);
  await admin.put(`/_matrix/client/v1/admin/suspend/${alice.userId}`, { suspended: true });
  await addEmail(alice, mails, "suspended@example.org");
  const contact = { medium: "email", address: "suspended@example.org" };
  const removed = await alice.post(`${client}/account/3pid/delete`, contact, "delete3pidFromAccount");
  t.equal(removed.status, 403);
  t.match(removed.body, { errcode: "M_USER_SUSPENDED" });
});

t.test("requestToken: a repeated request sends nothing, a further attempt does", async (t) => {
  const address = "again@example.org";
  const wish = { client_secret: newSecret() };
  const sids = new Set<unknown>();
  for (const send_attempt of [1, 1, 1, 2]) {
    const { body } = await requestEmail(server, "add", address, { ...wish, send_attempt });
    sids.add(body["sid"]);
  }
  t.equal(sids.size, 1);
  const first = await mails.mail(address, 1);
  const second = await mails.mail(address, 2);
  t.equal(mails.to(address).length, 2);
  t.strictSame(linkIn(first), linkIn(second), "whichever is read first is good");
});

t.test("requestToken: what is refused, and sends nothing", async (t) => {
  for (const purpose of ["add", "register", "password"] as const) {
    const cases: [object, string][] = [
      [{ email: "no address" }, "M_INVALID_PARAM"],
      [{ email: "a@example.org\r\nBcc: b@example.org" }, "M_INVALID_PARAM"],
      [{ client_secret: "with space" }, "M_INVALID_PARAM"],
      [{ client_secret: "" }, "M_INVALID_PARAM"],
      [{ client_secret: "x".repeat(256) }, "M_INVALID_PARAM"],
      [{ send_attempt: "1" }, "M_BAD_JSON"],
      [{ send_attempt: -1 }, "M_BAD_JSON"],
      [{ next_link: "javascript:alert(1)" }, "M_INVALID_PARAM"],
      [{ next_link: "https://user:password@example.org" }, "M_INVALID_PARAM"],
    ];
    for (const [body, errcode] of cases) {
      const answer = await requestEmail(server, purpose, "bad.input@example.org", { ...body });
      t.equal(answer.body["errcode"], errcode, `${emailRequests[purpose][1]} ${JSON.stringify(body)}`);
    }
  }
  t.equal(mails.to("bad.input@example.org").length, 0);
});

t.test(
  "getContactConfirmation, submitContactToken: the page behind the link: opening it proves nothing, and it leads on to where the client wishes",
  async (t) => {
    const address = "page@example.org";
    const secret = newSecret();
    const next_link = "https://chat.example.org/?a=b";
    const asked = await requestEmail(server, "add", address, { client_secret: secret, next_link });
    const link = linkIn(await mails.mail(address));
    const response = await fetch(server.url + link.pathname + link.search, {
      headers: { "Accept-Language": "zh" },
    });
    t.equal(response.status, 200);
    const html = await response.text();
    t.match(html, /<html lang="zh">/);
    t.notOk(html.includes(String(link.searchParams.get("token"))), "nothing of the request is in it");
    const alice = await registerUser(server);
    const add = { sid: asked.body["sid"], client_secret: secret };
    t.match((await alice.post(`${client}/account/3pid/add`, add)).body, {
      errcode: "M_THREEPID_AUTH_FAILED",
    });
    t.match((await confirm(server, await mails.mail(address))).body, { success: true, next_link });
    t.equal((await alice.post(`${client}/account/3pid/add`, add)).status, 401);
  },
);

t.test("submitContactToken: wrong ones are counted", async (t) => {
  const address = "guessed@example.org";
  const secret = newSecret();
  const { body } = await requestEmail(server, "add", address, { client_secret: secret });
  const mail = await mails.mail(address);
  const submit = (token: string, extra: object = {}) =>
    anonymous(server).post(confirmPath, { sid: body["sid"], token, ...extra });
  t.match((await submit("x", { client_secret: "wrong" })).body, { errcode: "M_SESSION_EXPIRED" });
  for (let n = 0; n < 5; n++) t.match((await submit(`guess${n}`)).body, { errcode: "M_TOKEN_INCORRECT" });
  t.match((await confirm(server, mail)).body, { errcode: "M_SESSION_EXPIRED" }, "too late");
  t.match((await anonymous(server).post(confirmPath, { sid: "made up", token: "x" })).body, {
    errcode: "M_SESSION_EXPIRED",
  });
});

t.test("messages are in the language of who asks", async (t) => {
  await requestEmail(server, "add", "zh@example.org", {}, { "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5" });
  t.match((await mails.mail("zh@example.org")).email, { subject: "请确认您在 hearth.test 的地址" });
});

t.test(
  "messages outlive the mail server's absence and a restart; what is refused for good is dropped",
  async (t) => {
    await requestEmail(server, "add", "refused@example.org");
    await until(30_000, "the mail server to be asked", () =>
      mails.recipients.includes("refused@example.org"),
    );
    await mails.close();
    await requestEmail(server, "add", "patient@example.org");
    await server.restart();
    t.equal(mails.to("patient@example.org").length, 0);
    await mails.open();
    t.ok(await mails.mail("patient@example.org"));
    t.equal(mails.to("patient@example.org").length, 1);
    t.equal(mails.recipients.filter((address) => address.startsWith("refused@")).length, 1);
  },
);

t.test("deactivateAccount: the addresses are free again", async (t) => {
  const alice = await registerUser(server);
  await addEmail(alice, mails, "leaver@example.org");
  const body = { auth: passwordAuth(alice) };
  t.equal((await alice.post(`${client}/account/deactivate`, body, "deactivateAccount")).status, 200);
  const bob = await registerUser(server);
  await addEmail(bob, mails, "leaver@example.org");
  t.strictSame(await addressesOf(bob), ["leaver@example.org"]);
});

t.test("getCapabilities: m.3pid_changes", async (t) => {
  const alice = await registerUser(server);
  const { body } = await alice.get(`${client}/capabilities`, "getCapabilities");
  t.match(body, { capabilities: { "m.3pid_changes": { enabled: true } } });
});
