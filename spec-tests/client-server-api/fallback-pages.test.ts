import { createHash } from "node:crypto";
import t, { type Test } from "tap";
import { anonymous, login, registerUser, testPassword } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

function fallbackPath(authType: string): string {
  return `/_matrix/client/v3/auth/${authType}/fallback/web`;
}

/** Checks that a page is one that a browser shows and runs, whole. */
async function checkPage(t: Test, url: string): Promise<string> {
  const response = await fetch(url);
  t.equal(response.status, 200);
  t.match(response.headers.get("Content-Type"), /^text\/html/);
  const html = await response.text();
  const script = /<script>(?<text>.*)<\/script>/s.exec(html)?.groups?.["text"] ?? "";
  const policy = response.headers.get("Content-Security-Policy") ?? "";
  t.ok(policy.includes(`script-src 'sha256-${createHash("sha256").update(script).digest("base64")}'`));
  return html;
}

t.test("getAuthFallback: a page for each stage", async (t) => {
  for (const authType of ["m.login.password", "m.login.registration_token", "m.login.dummy"]) {
    const html = await checkPage(t, `${server.url}${fallbackPath(authType)}?session=a`);
    t.match(html, /window\.onAuthDone\(\)/);
    t.match(html, /window\.opener\.postMessage\("authDone", "\*"\)/);
  }
  for (const authType of ["m.login.riddle", "toString"]) {
    t.equal((await anonymous(server).get(fallbackPath(authType))).status, 404);
  }
});

t.test("completeAuthFallback: what was done on the page counts", async (t) => {
  const alice = await registerUser(server);
  await login(server, alice, { deviceId: "OLD" });
  const remove = (body: object) => alice.delete("/_matrix/client/v3/devices/OLD", body, "deleteDevice");
  const { session } = (await remove({})).body;
  const onPage = (body: object) => anonymous(server).post(fallbackPath("m.login.password"), body);
  t.match((await onPage({ session, password: "wrong password" })).body, { errcode: "M_FORBIDDEN" });
  t.match((await onPage({ session: "made up", password: testPassword })).body, { errcode: "M_NOT_FOUND" });
  t.match((await onPage({ password: testPassword })).body, { errcode: "M_BAD_JSON" });
  t.equal((await remove({ auth: { session } })).status, 401);
  t.equal((await onPage({ session, password: testPassword })).status, 200);
  t.equal((await remove({ auth: { session } })).status, 200);
});

t.test("getLoginFallback: a page that logs in", async (t) => {
  for (const path of ["/_matrix/static/client/login/", "/_matrix/static/client/login?device_id=A"]) {
    t.match(await checkPage(t, server.url + path), /window\.matrixLogin\.onLogin\(answer\)/);
  }
});
