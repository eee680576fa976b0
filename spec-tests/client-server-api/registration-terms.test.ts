import t, { type Test } from "tap";
import { openSqliteDatabase } from "../../src/storage/sqlite/open.ts";
import { anonymous, type TestAnswer } from "../support/client.ts";
import { startServer, type TestServer } from "../support/server.ts";

const path = "/_matrix/client/v3/register";
const password = "correct horse battery staple";
const dummy = { type: "m.login.dummy" };

function register(on: TestServer, body: object): Promise<TestAnswer> {
  return anonymous(on).post(path, body, "register");
}

async function withServer(t: Test, registration: object, rest: object = {}): Promise<TestServer> {
  const server = await startServer({ registration: { mode: "open", ...registration }, ...rest });
  t.teardown(() => server[Symbol.asyncDispose]());
  return server;
}

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
