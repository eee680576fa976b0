import { globSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { EndpointDeclaration } from "../../src/api/endpoint.ts";

const folder = join(import.meta.dirname, "../../src/api");

/** Every endpoint of the client-server and administration APIs that `src/api` declares, in the order of their names. */
export async function declaredEndpoints(): Promise<EndpointDeclaration[]> {
  const files = globSync("{client,admin}/*.ts", { cwd: folder }).sort();
  const modules = await Promise.all(
    files.map(async (file) => (await import(pathToFileURL(join(folder, file)).href)) as object),
  );
  return modules.flatMap((module) => Object.values(module).filter(isDeclaration));
}

function isDeclaration(value: unknown): value is EndpointDeclaration {
  return typeof value === "object" && value !== null && "operationId" in value && "versions" in value;
}
