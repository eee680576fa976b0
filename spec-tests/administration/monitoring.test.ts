import { readFileSync } from "node:fs";
import t from "tap";
import { anonymous, registerUser } from "../support/client.ts";
import { freePort } from "../support/free-port.ts";
import { createRoom, say } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const [port, metricsPort] = [await freePort(), await freePort()];
const server = await startServer({
  listeners: [
    { bind: "127.0.0.1", port, apis: ["client", "federation", "admin"] },
    { bind: "127.0.0.1", port: metricsPort, apis: ["metrics"] },
  ],
});
t.teardown(() => server[Symbol.asyncDispose]());

const metricsUrl = `http://127.0.0.1:${metricsPort}`;

/** The value of each series, by its name and labels as they are written. */
async function series(path = "/metrics"): Promise<Map<string, number>> {
  const answer = await fetch(`${metricsUrl}${path}`);
  t.equal(answer.status, 200);
  t.match(answer.headers.get("content-type"), /^text\/plain; version=0\.0\.4/);
  const lines = (await answer.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const [, name = "", value = ""] = /^([a-z_]\w*(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
      // A mean of nothing is no number.
      t.ok(name !== "" && (/^nan$/i.test(value) || !Number.isNaN(Number(value))), line);
      return [name, Number(value)] as const;
    }),
  );
}

t.test(
  "hearthGetMetrics: what clients do is counted by operation, and nothing of theirs is a label",
  async (t) => {
    const alice = await registerUser(server);
    const roomId = await createRoom(alice, {});
    for (const text of ["one", "two", "three"]) await say(alice, roomId, text);
    await alice.get(`/_matrix/client/v3/rooms/${encodeURIComponent("!unknown:hearth.test")}/state`);
    await alice.get("/_matrix/client/v3/sync?timeout=0");
    await anonymous(server).get(`/no/such/path/${alice.userId}`);
    const found = await series();
    const requests = (operation: string, status: string) =>
      found.get(`hearth_http_request_seconds_count{operation="${operation}",status="${status}"}`);
    t.equal(requests("sendMessage", "2xx"), 3);
    t.equal(requests("sync", "2xx"), 1);
    t.equal(requests("getRoomState", "4xx"), 1);
    t.equal(requests("unknown", "4xx"), 1);
    t.ok((found.get("hearth_database_commit_writes_sum") ?? 0) >= 4);
    t.ok((found.get("hearth_stream_position") ?? 0) >= 4);
    t.ok((found.get("hearth_hearth_db_bytes") ?? 0) > 0);
    t.equal(found.get("hearth_federation_failing_destinations"), 0);
    t.ok((found.get("process_resident_memory_bytes") ?? 0) > 0);
    t.ok(found.has("nodejs_eventloop_lag_p99_seconds"));
    const names = [...found.keys()].join(" ");
    for (const secret of [alice.userId, alice.accessToken, roomId]) t.notOk(names.includes(secret));
    t.equal((await series("/_synapse/metrics")).size > 0, true);
  },
);

t.test("hearthGetMetrics: only where a listener is for it", async (t) => {
  t.equal((await anonymous(server).get("/metrics")).status, 404);
  const elsewhere = await fetch(`${metricsUrl}/_matrix/client/versions`);
  t.equal(elsewhere.status, 404);
  await elsewhere.body?.cancel();
});

t.test("the dashboard and the alerts ask for what there is", async (t) => {
  const found = await series();
  const names = new Set([...found.keys()].map((name) => name.replace(/\{.*/, "")));
  const histograms = names.values().map((name) => name.replace(/_bucket$/, ""));
  const known = new Set([...names, ...histograms]);
  for (const file of ["dashboard.json", "alerts.yaml"]) {
    const text = readFileSync(new URL(`../../docs/monitoring/${file}`, import.meta.url), "utf8");
    const asked = new Set(text.match(/\b(?:hearth|nodejs|process)_\w+/g));
    t.ok(asked.size > 3, file);
    for (const name of asked) t.ok(known.has(name), `${file}: ${name}`);
  }
  const dashboard = readFileSync(new URL("../../docs/monitoring/dashboard.json", import.meta.url), "utf8");
  t.ok((JSON.parse(dashboard) as { panels: unknown[] }).panels.length > 0);
});

t.test("hearthGetLiveness, hearthGetReadiness: on every listener, without a token", async (t) => {
  for (const url of [server.url, metricsUrl]) {
    const live = await fetch(`${url}/health`);
    t.strictSame([live.status, await live.json()], [200, { status: "ok" }]);
    const ready = await fetch(`${url}/_hearth/ready`);
    t.strictSame([ready.status, await ready.json()], [200, { status: "ready" }]);
  }
});
