import t from "tap";
import { startServer } from "../support/server.ts";

t.test("getVersions says which releases of the specification are served", async (t) => {
  await using server = await startServer();
  const response = await fetch(`${server.url}/_matrix/client/versions`);
  t.equal(response.status, 200);
  t.equal(response.headers.get("access-control-allow-origin"), "*");
  const body = (await response.json()) as { versions: string[] };
  t.ok(body.versions.includes("v1.11"));
});

t.test("an unknown path is 404 M_UNRECOGNIZED, a known one by the wrong method 405", async (t) => {
  await using server = await startServer();
  const unknown = await fetch(`${server.url}/_matrix/client/v3/nothing`);
  t.equal(unknown.status, 404);
  t.match(await unknown.json(), { errcode: "M_UNRECOGNIZED" });
  const wrongMethod = await fetch(`${server.url}/_matrix/client/versions`, { method: "POST", body: "{}" });
  t.equal(wrongMethod.status, 405);
  t.match(await wrongMethod.json(), { errcode: "M_UNRECOGNIZED" });
});
