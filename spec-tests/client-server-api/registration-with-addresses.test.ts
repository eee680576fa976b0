import { createHash } from "node:crypto";
import t, { type Test } from "tap";
import { anonymous, login, type TestAnswer } from "../support/client.ts";
import { addressesOf, confirm, newSecret, proveEmail, requestEmail } from "../support/contacts.ts";
import { MailServer } from "../support/mail-server.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { codeIn, SmsGateway } from "../support/sms-gateway.ts";

// Each e-mail takes its way through a real mail server.
t.setTimeout(120_000);

const mails = await MailServer.start();
t.teardown(() => mails[Symbol.asyncDispose]());
const path = "/_matrix/client/v3/register";
const password = "correct horse battery staple";
const dummy = { type: "m.login.dummy" };

function register(on: TestServer, body: object): Promise<TestAnswer> {
  return anonymous(on).post(path, body, "register");
}

async function withServer(t: Test, registration: object, rest: object = {}): Promise<TestServer> {
  const { email } = mails.config;
  const server = await startServer({ registration: { mode: "open", ...registration }, email, ...rest });
  t.teardown(() => server[Symbol.asyncDispose]());
  return server;
}

t.test("register: an e-mail address that everybody has to prove", async (t) => {
  const server = await withServer(t, { email: "required" });
  const demand = await register(server, { username: "alice", password });
  t.match(demand.body, { flows: [{ stages: ["m.login.email.identity"] }] });
  const { session } = demand.body;
  const skipped = await register(server, { username: "alice", password, auth: { ...dummy, session } });
  t.equal(skipped.status, 401);
  const threepid_creds = await proveEmail(server, mails, "register", "alice@example.org");
  const auth = { type: "m.login.email.identity", threepid_creds, session };
  const wrongSecret = { ...auth, threepid_creds: { ...threepid_creds, client_secret: "other" } };
  t.equal((await register(server, { auth: wrongSecret })).status, 401);
  const empty = { ...auth, threepid_creds: {} };
  t.match((await register(server, { auth: empty })).body, { errcode: "M_MISSING_PARAM" });
  t.equal((await register(server, { auth })).status, 200);
  const alice = await login(server, "alice");
  t.strictSame(await addressesOf(alice), ["alice@example.org"]);
  const again = { username: "bob", password, auth: { ...auth, session: undefined } };
  t.equal((await register(server, again)).status, 401, "what was proved counts once");
});

t.test("register: with the session alone a client asks whether the mail has been read", async (t) => {
  const server = await withServer(t, { email: "required" });
  const { session } = (await register(server, { username: "later", password })).body;
  const secret = newSecret();
  const asked = await requestEmail(server, "register", "later@example.org", { client_secret: secret });
  const threepid_creds = { sid: asked.body["sid"], client_secret: secret };
  const auth = { type: "m.login.email.identity", threepid_creds, session };
  t.match((await register(server, { auth })).body, { errcode: "M_UNAUTHORIZED" });
  t.equal((await register(server, { auth: { session } })).status, 401, "not yet");
  await confirm(server, await mails.mail("later@example.org"));
  t.equal((await register(server, { auth: { session } })).status, 200);
  t.strictSame(await addressesOf(await login(server, "later")), ["later@example.org"]);
});

t.test("register: one address makes one account, however many try at once", async (t) => {
  const server = await withServer(t, { email: "required" });
  const threepid_creds = await proveEmail(server, mails, "register", "race@example.org");
  const auth = { type: "m.login.email.identity", threepid_creds };
  const answers = await Promise.all(
    ["a", "b", "c"].map((name) => register(server, { username: `racer-${name}`, password, auth })),
  );
  t.equal(answers.filter(({ status }) => status === 200).length, 1);
  for (const { status, body } of answers) {
    if (status !== 200) t.match(body["errcode"], /^M_(THREEPID_IN_USE|THREEPID_AUTH_FAILED|UNAUTHORIZED)$/);
  }
});

t.test("register: an address for those who like, and only such as are allowed", async (t) => {
  const email = { ...mails.config.email, allowed_addresses: ["*@example.org"] };
  const server = await withServer(t, { email: "optional" }, { email });
  const demand = await register(server, { username: "carol", password });
  t.match(demand.body, { flows: [{ stages: ["m.login.email.identity"] }, { stages: ["m.login.dummy"] }] });
  t.equal((await register(server, { username: "carol", password, auth: dummy })).status, 200);
  const denied = await requestEmail(server, "register", "dora@elsewhere.test");
  t.equal(denied.status, 403);
  t.match(denied.body, { errcode: "M_THREEPID_DENIED" });
  t.match((await requestEmail(server, "add", "dora@elsewhere.test")).body, { errcode: "M_THREEPID_DENIED" });
  const threepid_creds = await proveEmail(server, mails, "register", "dora@example.org");
  const auth = { type: "m.login.email.identity", threepid_creds };
  t.equal((await register(server, { username: "dora", password, auth })).status, 200);
  t.strictSame(await addressesOf(await login(server, "dora")), ["dora@example.org"]);
});

t.test("register: a telephone number and an e-mail address", async (t) => {
  await using gateway = await SmsGateway.start();
  const server = await withServer(t, { email: "required", phone: "required" }, gateway.config);
  const secret = newSecret();
  const asked = { country: "DE", phone_number: "0171 1234567", client_secret: secret, send_attempt: 1 };
  const { body } = await anonymous(server).post(
    `${path}/msisdn/requestToken`,
    asked,
    "requestTokenToRegisterMSISDN",
  );
  const sid = body["sid"];
  const token = codeIn(await gateway.sms("491711234567"));
  const submit = new URL(String(body["submit_url"])).pathname;
  t.equal((await anonymous(server).post(submit, { sid, client_secret: secret, token })).status, 200);
  const demand = await register(server, { username: "emil", password });
  t.match(demand.body, { flows: [{ stages: ["m.login.email.identity", "m.login.msisdn"] }] });
  const { session } = demand.body;
  const mail = await proveEmail(server, mails, "register", "emil@example.org");
  const first = await register(server, {
    auth: { type: "m.login.email.identity", threepid_creds: mail, session },
  });
  t.match(first.body, { completed: ["m.login.email.identity"] });
  const second = { type: "m.login.msisdn", threepid_creds: { sid, client_secret: secret }, session };
  t.equal((await register(server, { auth: second })).status, 200);
  const addresses = await addressesOf(await login(server, "emil"));
  t.strictSame(new Set(addresses), new Set(["emil@example.org", "491711234567"]));
});

t.test("requestTokenToRegisterEmail: not where registration is closed", async (t) => {
  const server = await withServer(t, { mode: "closed" });
  const { status, body } = await requestEmail(server, "register", "closed@example.org");
  t.equal(status, 403);
  t.match(body, { errcode: "M_FORBIDDEN" });
});

t.test("getAuthFallback, completeAuthFallback: proving addresses on pages", async (t) => {
  await using gateway = await SmsGateway.start();
  const server = await withServer(t, { email: "required", phone: "required" }, gateway.config);
  const { session } = (await register(server, { username: "ida", password })).body;
  const fallback = (type: string) => `/_matrix/client/v3/auth/${type}/fallback/web`;
  const page = async (type: string) => {
    const response = await fetch(`${server.url}${fallback(type)}?session=${String(session)}`);
    const html = await response.text();
    const script = /<script>(?<text>.*)<\/script>/s.exec(html)?.groups?.["text"] ?? "";
    const hashed = createHash("sha256").update(script).digest("base64");
    t.ok(response.headers.get("Content-Security-Policy")?.includes(`script-src 'sha256-${hashed}'`));
    return html;
  };
  t.match(
    await page("m.login.email.identity"),
    /data-url="\/_matrix\/client\/v3\/register\/email\/requestToken"/,
  );
  t.match(await page("m.login.msisdn"), /data-url="\/_matrix\/client\/v3\/register\/msisdn\/requestToken"/);
  const unknown = await anonymous(server).get(`${fallback("m.login.msisdn")}?session=unknown`);
  t.match(unknown.body, { errcode: "M_NOT_FOUND" });
  const threepid_creds = await proveEmail(server, mails, "register", "ida@example.org");
  const complete = (body: object) =>
    anonymous(server).post(fallback("m.login.email.identity"), { session, ...body });
  t.match((await complete({ threepid_creds: { sid: "x", client_secret: "y" } })).body, {
    errcode: "M_UNAUTHORIZED",
  });
  t.equal((await complete({ threepid_creds })).status, 200);
  t.match((await register(server, { auth: { session } })).body, { completed: ["m.login.email.identity"] });
});
