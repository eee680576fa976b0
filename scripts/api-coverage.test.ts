import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { declaredEndpoints } from "../spec-tests/support/declarations.ts";
import { coveragePage, specOperations, testsByOperation } from "./api-coverage.ts";

t.test("every endpoint is named by a test", async (t) => {
  const operationIds = (await declaredEndpoints()).map((endpoint) => endpoint.operationId);
  const tests = testsByOperation(operationIds);
  const unproven = operationIds.filter((id) => tests.get(id)?.length === 0);
  t.ok(operationIds.length > 100);
  t.same(unproven, []);
});

const operations = specOperations();

t.test(
  "the page in docs says what there is (npm run docs:coverage writes it)",
  { skip: operations ? false : "the specification's data is not at hand" },
  async (t) => {
    const page = readFileSync(join(import.meta.dirname, "../docs/api-coverage.md"), "utf8");
    t.equal(page, coveragePage(operations ?? [], await declaredEndpoints()));
  },
);
