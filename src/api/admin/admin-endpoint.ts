import type { TObject, TSchema } from "typebox";
import { type EndpointDeclaration, endpoint } from "../endpoint.ts";

type Declared<
  Path extends string,
  Query extends TObject | undefined,
  Body extends TSchema | undefined,
> = Omit<EndpointDeclaration<Path, Query, Body>, "access" | "api" | "prefix" | "versions" | "rateLimit">;

/**
 * Declares an endpoint for administrators, with its complete path: `/_synapse/admin/...` where Synapse has the same, so
 * that tools that were made for it work, and `/_hearth/admin/v1/...` for what is our own.
 */
export function adminEndpoint<
  const Path extends string,
  Query extends TObject | undefined = undefined,
  Body extends TSchema | undefined = undefined,
>(declaration: Declared<Path, Query, Body>): EndpointDeclaration<Path, Query, Body> {
  return endpoint({
    ...declaration,
    versions: [],
    api: "admin",
    access: "admin",
    rateLimit: "none",
  });
}
