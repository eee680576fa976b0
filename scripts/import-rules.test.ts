import t from "tap";
import { brokenRules } from "./import-rules.ts";

/** Each import as [importing file, statement, whether it is allowed]. */
const cases: readonly [string, string, boolean][] = [
  ["src/protocol/a/b.ts", `import { c } from "../c.ts";`, true],
  ["src/protocol/a/b.ts", `import nacl from "tweetnacl";`, true],
  ["src/protocol/a/b.ts", `import type { Config } from "../../config/schema.ts";`, false],
  ["src/protocol/b.ts", `import { readFileSync } from "node:fs";`, false],
  ["src/protocol/b.ts", `const koa = await import("koa");`, false],
  ["src/protocol/b.ts", `export * from "../auth/requester.ts";`, false],
  ["src/protocol/b.ts", `import "../telemetry/log.ts";`, false],
  ["src/protocol/b.test.ts", `import t from "tap";`, true],
  ["src/protocol/b.test.ts", `import { startServer } from "../../spec-tests/support/server.ts";`, false],
  ["src/protocol/testing/vectors.ts", `import { readFileSync } from "node:fs";`, true],
  ["src/protocol/b.ts", `import { vectors } from "./testing/vectors.ts";`, false],
  ["src/api/a.ts", `import { Type } from "../schema/type.ts";`, true],
  ["src/api/a.ts", `import type { Static } from "typebox";`, true],
  ["src/api/a.ts", `import { Type } from "typebox";`, false],
  ["src/services/a.ts", `import { Compile } from "typebox/compile";`, false],
  ["src/api/a.ts", `import type { JsonObject } from "../protocol/json.ts";`, true],
  ["src/api/a.ts", `import { type JsonObject, isJsonObject } from "../protocol/json.ts";`, false],
  ["src/api/a.ts", `import type { Service } from "../services/a.ts";`, false],
  ["src/services/a.ts", `import { roomVersion } from "../protocol/room-versions.ts";`, true],
  ["src/services/a.ts", `import type { Reply } from "../http/reply.ts";`, false],
  ["src/ingest/a.ts", `import http from "node:http";`, false],
  ["src/sync/a/b.ts", `import Koa from "koa";`, false],
  ["src/server.ts", `import { open } from "./storage/sqlite/open.ts";`, true],
  ["src/storage/sqlite/a.ts", `import Database from "better-sqlite3";`, true],
  ["src/storage/database.ts", `import type { Engine } from "./sqlite/engine/engine.ts";`, false],
  ["src/services/a.ts", `import { open } from "../storage/sqlite/open.ts";`, false],
  ["src/storage/contract.test.ts", `import { open } from "./sqlite/open.ts";`, true],
  ["src/services/a.ts", `import { run } from "../cli/run.ts";`, false],
  ["src/main.ts", `import { run } from "./cli/run.ts";`, true],
  ["src/sync/a.ts", `import { helper } from "./a.test.ts";`, false],
  ["src/console/a.tsx", `import { Button } from "@mantine/core";`, true],
  ["src/console/a.tsx", `import { version } from "../version.ts";`, false],
  ["src/console/a.tsx", `import { readFileSync } from "node:fs";`, false],
  ["src/http/a.ts", `import { en } from "../console/texts/en.ts";`, false],
  ["spec-tests/support/fake-peer.ts", `import { sign } from "../../src/protocol/json-signing.ts";`, false],
  ["spec-tests/support/server.ts", `import { createServer } from "../../src/server.ts";`, true],
];

t.test("every rule allows what it should and nothing else", async (t) => {
  for (const [file, statement, isAllowed] of cases) {
    const broken = brokenRules(file, statement);
    t.equal(broken.length === 0, isAllowed, `${file}: ${statement} ${broken.join(" ")}`);
  }
});

t.test("a broken rule is told with its place and reason", async (t) => {
  t.strictSame(brokenRules("src/sync/a.ts", `\n\nimport Koa from "koa";\n`), [
    "src/sync/a.ts:3 imports koa: services, ingest, sync, jobs and what administrators do know nothing of HTTP",
  ]);
});
