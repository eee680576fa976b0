import t from "tap";
import { declaredEndpoints, testsByOperation } from "./api-coverage.ts";

t.test("every endpoint is named by a test", async (t) => {
  const operationIds = (await declaredEndpoints()).map((endpoint) => endpoint.operationId);
  const tests = testsByOperation(operationIds);
  const unproven = operationIds.filter((id) => tests.get(id)?.length === 0);
  t.ok(operationIds.length > 100);
  t.same(unproven, []);
});
