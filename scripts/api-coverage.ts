import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { declaredEndpoints } from "../spec-tests/support/declarations.ts";
import { type SpecEndpoint, specEndpoints } from "../spec-tests/support/endpoint-table.ts";
import { type EndpointDeclaration, pathsOf } from "../src/api/endpoint.ts";

const root = join(import.meta.dirname, "..");

/** The test files that name each operation, by its ID. */
export function testsByOperation(operationIds: readonly string[]): Map<string, string[]> {
  const files = globSync("spec-tests/**/*.test.ts", { cwd: root }).toSorted();
  const words = files.map((file) => new Set(readFileSync(join(root, file), "utf8").match(/\w+/g)));
  return new Map(operationIds.map((id) => [id, files.filter((_, index) => words[index]?.has(id) === true)]));
}

/** The page: every operation that the server serves or calls, and what proves it. */
export function coveragePage(
  operations: readonly SpecEndpoint[],
  endpoints: readonly EndpointDeclaration[],
): string {
  const tests = testsByOperation(operations.map((operation) => operation.operationId));
  const served = new Set(
    endpoints.flatMap((endpoint) => pathsOf(endpoint).map((path) => keyOf(endpoint.method, path))),
  );
  const isDone = ({ api, method, path, operationId }: SpecEndpoint) =>
    isCalled(api) ? callsOf(api, tests.get(operationId)).length > 0 : served.has(keyOf(method, path));
  const sections = [...new Set(operations.map((operation) => operation.api))].map((api) => {
    const rows = operations.filter((operation) => operation.api === api);
    const lines = rows.map((row) => {
      const found = tests.get(row.operationId) ?? [];
      const proof = isCalled(api) ? callsOf(api, found) : found;
      const shown = isDone(row) ? proof.map(shortName).join(", ") : "";
      return `| ${row.operationId} | ${row.method} \`${row.path}\` | ${isDone(row) ? "yes" : "no"} | ${shown} |`;
    });
    return [
      `## ${api}: ${rows.filter(isDone).length} of ${rows.length}`,
      "",
      `| operation | path | ${isCalled(api) ? "called" : "served"} | tests |`,
      "|---|---|---|---|",
      ...lines,
      "",
    ].join("\n");
  });
  return `${introduction}\n${sections.join("\n")}`;
}

const introduction = `# Coverage of the Matrix specification

Every operation that a homeserver serves, or calls, from the specification's own list (version 1.19), joined with the server's
endpoint declarations and with the tests in \`spec-tests/\` that name the operation. \`npm run docs:coverage\` writes this page.
`;

function shortName(file: string): string {
  return file.replace("spec-tests/", "").replace(".test.ts", "");
}

/** Parameters have other names here and there, and some of the specification's paths end in a slash or a space. */
function keyOf(method: string, path: string): string {
  return `${method} ${path
    .trim()
    .replace(/\/$/, "")
    .replaceAll(/\{\w+\}/g, "{}")}`;
}

/** What the page is about. @returns `undefined` when the specification's data is not at hand */
export function specOperations(): SpecEndpoint[] | undefined {
  return specEndpoints()
    ?.filter(({ api, operationId }) => (servedApis.has(api) || isCalled(api)) && /^\w+$/.test(operationId))
    .filter(({ path }) => !path.startsWith("/_matrix/policy/"));
}

const servedApis = new Set(["client-server", "server-server"]);
/** APIs that others serve, and the folders of the tests in which they are called. */
const calledApis: ReadonlyMap<string, string> = new Map([
  ["application-service", "spec-tests/application-service-api/"],
  ["push-gateway", "spec-tests/push-gateway-api/"],
]);

function isCalled(api: string): boolean {
  return calledApis.has(api);
}

function callsOf(api: string, tests: readonly string[] = []): string[] {
  return tests.filter((file) => file.startsWith(calledApis.get(api) ?? ""));
}

// Also when scripts/node.mjs runs this, which imports it.
if (process.argv[1] === import.meta.filename) {
  const operations = specOperations();
  if (operations === undefined) throw new Error("the page is made from the specification's data");
  writeFileSync(join(root, "docs/api-coverage.md"), coveragePage(operations, await declaredEndpoints()));
}
