import t from "tap";
import { appserviceConfig, TestAppservice } from "../support/appservice.ts";
import { registerAdmin, registerUser } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const bridge = await TestAppservice.start({ id: "bridge" });
t.teardown(() => bridge.close());
const server = await startServer({
  ...(await appserviceConfig(t, bridge)),
  calls: { turn: { shared_secret: "not to be shown" } },
});
t.teardown(() => server[Symbol.asyncDispose]());

const admin = await registerAdmin(server);
const base = "/_hearth/admin/v1/server";

t.test("adminGetServerOverview: how the server is", async (t) => {
  const { status, body } = await admin.get(`${base}/overview`);
  t.equal(status, 200);
  t.match(body, { server_name: "hearth.test", version: String, obstacle: null, traffic: [] });
  t.ok(Number(body["resident_bytes"]) > 1_000_000);
  t.ok(Number(body["free_disk_bytes"]) > 0);
  t.ok(Number(body["now_ts"]) >= Number(body["started_ts"]));
  t.match(body["measured"], { hearth_stream_position: Number, hearth_hearth_db_bytes: Number });
});

t.test("adminListAppservices: those that the configuration names, without their tokens", async (t) => {
  const { body } = await admin.get(`${base}/appservices`);
  t.match(body["appservices"], [{ id: "bridge", behind: Number, failing_since_ts: null, last_error: null }]);
  t.notMatch(JSON.stringify(body), /token"/);
});

t.test("adminGetConfiguration: every key, no secret, and what is seldom wanted", async (t) => {
  const { body } = await admin.get(`${base}/configuration`);
  const keys = body["keys"] as { key: string; value: unknown; is_default: boolean }[];
  const named = (name: string) => keys.find(({ key }) => key === name);
  t.match(named("server_name"), { value: "hearth.test", is_default: false });
  t.match(named("search.enabled"), { value: true, is_default: true });
  t.match(named("calls.turn.shared_secret"), { value: "(secret)", is_default: false });
  t.notMatch(JSON.stringify(body), "not to be shown");
  const findings = body["findings"] as { severity: string; key: string }[];
  t.match(
    findings.filter(({ severity }) => severity === "warning").map(({ key }) => key),
    ["rate_limits.enabled", "password_hashing", "registration.mode"],
  );
});

t.test(
  "adminGetServerOverview, adminListAppservices, adminGetConfiguration: for administrators only",
  async (t) => {
    const alice = await registerUser(server);
    for (const path of ["overview", "appservices", "configuration"]) {
      t.match(await alice.get(`${base}/${path}`), { status: 403, body: { errcode: "M_FORBIDDEN" } });
    }
  },
);
