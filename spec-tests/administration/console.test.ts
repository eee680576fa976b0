import t from "tap";
import { startServer } from "../support/server.ts";

t.test("showConsole, getConsoleAsset: the console, or word that it is not built yet", async (t) => {
  await using server = await startServer();
  const page = await fetch(`${server.url}/_hearth/console`);
  t.ok([200, 503].includes(page.status));
  t.match(page.headers.get("content-security-policy"), /^default-src 'none'; script-src 'self'; /);
  t.equal(page.headers.get("x-frame-options"), "DENY");
  t.equal(page.headers.get("x-content-type-options"), "nosniff");
  t.equal(page.headers.get("referrer-policy"), "no-referrer");
  t.equal(page.headers.get("cache-control"), "no-store");
  t.equal((await fetch(`${server.url}/_hearth/console/v1/assets/none.js`)).status, 404);
});

t.test("it can be switched off", async (t) => {
  await using server = await startServer({ console: { enabled: false } });
  t.equal((await fetch(`${server.url}/_hearth/console`)).status, 404);
});

t.test("it is served only where the admin API is", async (t) => {
  await using server = await startServer({ listeners: [{ bind: "127.0.0.1", port: 0, apis: ["client"] }] });
  t.equal((await fetch(`${server.url}/_hearth/console`)).status, 404);
});
