import t, { type Test } from "tap";
import { openSqliteDatabase } from "../../src/storage/sqlite/open.ts";
import { anonymous, login, type TestAnswer } from "../support/client.ts";
import { addressesOf, newSecret, proveEmail, requestEmail } from "../support/contacts.ts";
import { MailServer } from "../support/mail-server.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { codeIn, SmsGateway } from "../support/sms-gateway.ts";

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

const terms = [
  {
    id: "terms_of_service",
    version: "1.2",
    translations: [
      { language: "en", name: "Terms <of> Service", url: "https://example.org/terms-en.html?a=1&b=2" },
      { language: "zh", name: "服务条款", url: "https://example.org/terms-zh.html" },
    ],
  },
  {
    id: "privacy",
    version: "3",
    translations: [{ language: "en", name: "Privacy", url: "https://example.org/privacy.html" }],
  },
];

t.test("register: terms that everybody has to accept; which ones somebody accepted is kept", async (t) => {
  const server = await withServer(t, { terms });
  const demand = await register(server, { username: "fred", password });
  t.strictSame(demand.body["flows"], [{ stages: ["m.login.terms"] }]);
  t.strictSame(demand.body["params"], {
    "m.login.terms": {
      policies: {
        terms_of_service: {
          en: { name: "Terms <of> Service", url: "https://example.org/terms-en.html?a=1&b=2" },
          zh: { name: "服务条款", url: "https://example.org/terms-zh.html" },
          version: "1.2",
        },
        privacy: { en: { name: "Privacy", url: "https://example.org/privacy.html" }, version: "3" },
      },
    },
  });
  const { session } = demand.body;
  t.equal((await register(server, { auth: { ...dummy, session } })).status, 401);
  t.equal((await register(server, { auth: { type: "m.login.terms", session } })).status, 200);
  await using database = await openSqliteDatabase(
    server.folder,
    () => undefined,
    () => undefined,
  );
  const account = await database.stores.accounts.find("@fred:hearth.test" as never);
  t.strictSame(await database.stores.accounts.acceptedPolicies(account?.userNid ?? 0), [
    { id: "privacy", version: "3" },
    { id: "terms_of_service", version: "1.2" },
  ]);
});

t.test(
  "getAuthFallback, completeAuthFallback: terms on a page, in the language of the browser",
  async (t) => {
    const server = await withServer(t, { terms });
    const { session } = (await register(server, { username: "gina", password })).body;
    const fallback = "/_matrix/client/v3/auth/m.login.terms/fallback/web";
    const page = async (language: string) => {
      const headers = { "Accept-Language": language };
      return (await fetch(`${server.url}${fallback}?session=${String(session)}`, { headers })).text();
    };
    const chinese = await page("zh-CN");
    t.match(chinese, /<a href="https:\/\/example\.org\/terms-zh\.html" hreflang="zh"[^>]*>服务条款<\/a>/);
    t.match(chinese, /privacy\.html/, "what is not translated is in English");
    const english = await page("fr");
    t.ok(english.includes('href="https://example.org/terms-en.html?a=1&amp;b=2"'));
    t.ok(english.includes("Terms &lt;of&gt; Service"));
    t.match(english, /window\.onAuthDone\(\)/);
    t.equal((await anonymous(server).post(fallback, { session })).status, 200);
    t.equal((await register(server, { auth: { session } })).status, 200);
  },
);

t.test("register: passwords that are too weak for this server", async (t) => {
  const server = await withServer(t, {}, { passwords: { min_length: 12, require_digit: true } });
  for (const weak of ["short1", "long but without digits"]) {
    const answer = await register(server, { username: "hans", password: weak, auth: dummy });
    t.equal(answer.status, 400);
    t.match(answer.body, { errcode: "M_WEAK_PASSWORD" });
  }
  t.equal((await register(server, { username: "hans", password: "long, with 1", auth: dummy })).status, 200);
});
