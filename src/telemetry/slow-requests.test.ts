import t from "tap";
import { createLogTo } from "./log.ts";
import type { EndedRequest } from "./observations.ts";
import { slowRequestLog } from "./slow-requests.ts";

t.test(
  "slow requests are logged, without what they asked for; those that wanted to wait are not",
  async (t) => {
    const lines: string[] = [];
    const log = createLogTo({ write: (line: string) => void lines.push(line) }, "info");
    const follow = slowRequestLog(1_000, log);
    const request = (operationId: string, durationMs: number, search = ""): EndedRequest => {
      return { requestId: "r1", operationId, method: "GET", path: "/p", search, status: 200, durationMs };
    };
    follow(request("quick", 999));
    follow(request("slow", 1_000.4, "?access_token=secret"));
    follow(request("poll", 30_100, "?timeout=30000&since=5"));
    follow(request("latePoll", 31_000, "?since=5&timeout=30000"));
    follow(request("download", 20_500, "?timeout_ms=20000"));
    follow(request("odd", 1_500, "?timeout=-5"));
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    t.strictSame(
      told.map(({ operationId }) => operationId),
      ["slow", "latePoll", "odd"],
    );
    t.match(told[0], { level: "warn", requestId: "r1", durationMs: 1_000, status: 200, path: "/p" });
    t.notOk(lines.join("").includes("secret"));
  },
);
