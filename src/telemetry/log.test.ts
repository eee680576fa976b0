import t from "tap";
import { createLogTo } from "./log.ts";

function logLines(): { lines: string[]; log: ReturnType<typeof createLogTo> } {
  const lines: string[] = [];
  return { lines, log: createLogTo({ write: (line) => lines.push(line) }, "info") };
}

t.test("a line is one JSON object with time, level, message and fields", async (t) => {
  const { lines, log } = logLines();
  log.child({ requestId: "r1" }).info({ path: "/sync" }, "answered");
  log.debug("below the level");
  t.equal(lines.length, 1);
  const { time, ...rest }: Record<string, unknown> = JSON.parse(lines[0] ?? "");
  t.strictSame(rest, { level: "info", requestId: "r1", path: "/sync", msg: "answered" });
  t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

t.test("no secret reaches the log, whatever way it takes", async (t) => {
  const { lines, log } = logLines();
  const secret = 'hunter2\\"x\\';
  log.info({ body: { auth: [{ password: secret }] }, keep: "kept" });
  log.child({ accessToken: secret }).info("bound");
  log.info({ headers: { Authorization: `Bearer ${secret}`, raw: ["authorization", "Bearer hunter2"] } });
  log.info({ url: "/_matrix/client/v3/sync?since=s1&access_token=hunter2&timeout=0" });
  log.warn(`refused: ${JSON.stringify({ refresh_token: "hunter2", errcode: "M_X" })}`);
  log.error({ err: Object.assign(new Error("login failed"), { request: { new_password: "hunter2" } }) });
  log.error({ err: new Error("cannot open x?token=hunter2", { cause: new Error("Bearer hunter2") }) });
  log.info({ note: "hat_hunter2hunter2hunter2-hunter2_hunter2hunter2" }, "kept hrt_hunter2hunter2hunter2");
  log.error({ path: "/_matrix/client/v1/delayed_events/hdt_hunter2hunter2hunter2hunter2/send" });
  t.equal(lines.length, 9);
  for (const line of lines) {
    t.notMatch(line, /hunter2/);
    t.match(line, /\[secret\]/);
    t.type(JSON.parse(line), "object", "it is still JSON");
  }
  t.match(lines[0], '"keep":"kept"');
  t.match(lines[3], "since=s1&access_token=[secret]&timeout=0");
});
