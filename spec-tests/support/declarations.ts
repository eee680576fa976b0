import { globSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { EndpointDeclaration } from "../../src/api/endpoint.ts";

const folder = join(import.meta.dirname, "../../src/api");

/**
 * Every endpoint that `src/api` declares, in the order of the files' names.
 * @param folders of `src/api`, as a pattern: all unless given
 */
export async function declaredEndpoints(folders = "**"): Promise<EndpointDeclaration[]> {
  const files = globSync(`${folders}/*.ts`, { cwd: folder })
    .filter((file) => !file.endsWith(".test.ts"))
    .sort();
  const modules = await Promise.all(
    files.map(async (file) => (await import(pathToFileURL(join(folder, file)).href)) as object),
  );
  return modules.flatMap((module) => Object.values(module).filter(isDeclaration));
}

/** Those that are for clients and administrators. */
export function clientEndpoints(): Promise<EndpointDeclaration[]> {
  return declaredEndpoints("{client,admin}");
}

function isDeclaration(value: unknown): value is EndpointDeclaration {
  return typeof value === "object" && value !== null && "operationId" in value && "versions" in value;
}
