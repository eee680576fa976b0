import { readFileSync } from "node:fs";
import { specDataFile } from "./spec-data.ts";

/** A row of the specification's table of endpoints. */
export interface SpecEndpoint {
  readonly api: string;
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  /** `none`, `accessToken`, `accessToken (optional)`. */
  readonly auth: string;
  /** `y`, `n`, or `-` where no token is asked for. */
  readonly guest: string;
  readonly isRateLimited: boolean;
  /** The first release since v1.1 that has the path; `<=v1.1` for older ones. */
  readonly firstRelease: string;
}

/** The endpoints of all APIs, or `undefined` where the specification's data is not at hand. */
export function specEndpoints(): SpecEndpoint[] | undefined {
  const file = specDataFile("endpoints.tsv");
  if (file === undefined) return undefined;
  const [head = [], ...rows] = readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
  return rows
    .map((row) => new Map(row.map((cell, index) => [head[index] ?? "", cell])))
    .filter((row) => row.get("operationId") !== "(prose)")
    .map((row) => ({
      api: row.get("api") ?? "",
      method: row.get("method") ?? "",
      // Operations that share a path are told apart by spaces after it.
      path: (row.get("path") ?? "").trim(),
      operationId: row.get("operationId") ?? "",
      auth: row.get("auth") ?? "",
      guest: row.get("guest") ?? "",
      isRateLimited: row.get("rate_limited") === "y",
      firstRelease: row.get("first_release_with_path") ?? "",
    }));
}
