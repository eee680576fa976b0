import type { Static, TObject, TSchema } from "typebox";

export type HttpMethod = "GET" | "PUT" | "POST" | "DELETE";

/** Which listeners serve an endpoint. */
export type ApiName = "client" | "federation" | "admin" | "metrics";

/**
 * Who may call: `public` anybody; `user` a signed-in account; `optional-user` anybody, and a token is looked at when it
 * is there; `admin` an account with administrator rights; `appservice` an application service; `optional-appservice`
 * anybody, and a token is looked at when it is that of an application service, which then acts as its own user; `server`
 * another homeserver, which signs its requests.
 */
export type Access =
  | "public"
  | "optional-user"
  | "user"
  | "admin"
  | "appservice"
  | "optional-appservice"
  | "server";

/** What a request counts against; see `http/rate-limit.ts`. */
export type RateLimitClass =
  | "none"
  | "default"
  | "login"
  | "authorization"
  | "registration"
  | "message"
  | "join"
  | "invite"
  | "media"
  | "upload"
  | "url-preview";

type Segment<Text extends string> = Text extends `{${infer Name}}` ? Name : never;
type ParamNames<Path extends string> = Path extends `${infer Head}/${infer Rest}`
  ? Segment<Head> | ParamNames<Rest>
  : Segment<Path>;
export type PathParams<Path extends string> = { readonly [Name in ParamNames<Path>]: string };

type StaticOr<Schema, Fallback> = Schema extends TSchema ? Static<Schema> : Fallback;

/** What exists: one endpoint as data. Everything that the HTTP layer does with a request follows from it. */
export interface EndpointDeclaration<
  Path extends string = string,
  Query extends TObject | undefined = TObject | undefined,
  Body extends TSchema | undefined = TSchema | undefined,
> {
  /** The operation's ID in the specification's OpenAPI data; our own name where it has none. */
  readonly operationId: string;
  readonly method: HttpMethod;
  /** Path after the version, with `{parameters}`: `/rooms/{roomId}/send/{eventType}/{txnId}`. */
  readonly path: Path;
  /** Versions under the prefix that serve this path, such as `v3` and `r0`. Empty when `path` is complete. */
  readonly versions: readonly string[];
  /** `/_matrix/client` unless said otherwise. */
  readonly prefix?: string;
  /** Further complete paths with the same parameters: unstable names that clients still call. */
  readonly aliases?: readonly string[];
  /** `client` unless said otherwise; `every` for what all of them serve. */
  readonly api?: ApiName | "every";
  readonly access: Access;
  /** Guests are refused with M_GUEST_ACCESS_FORBIDDEN unless this is set. */
  readonly guests?: boolean;
  /** Locked accounts are refused with M_USER_LOCKED unless this is set. */
  readonly whileLocked?: boolean;
  /** The handler demands user-interactive authentication: later requests may leave away keys of the body. */
  readonly interactive?: boolean;
  readonly rateLimit: RateLimitClass;
  /** Query parameters; numbers and booleans are converted from their text. Unknown ones are let pass. */
  readonly query?: Query;
  /** JSON body. Without a schema the body is not read: the handler may stream it. */
  readonly body?: Body;
  /** What the body is written in: JSON unless said otherwise; `form` for the fields of a page's form, all of them texts. */
  readonly bodyFormat?: "form";
  /** The largest body in bytes; 1 MiB unless said otherwise, and 64 KiB for a form. */
  readonly maxBodyBytes?: number;
  /** An empty state key may be left away with or without its slash ("/state/{eventType}/"). */
  readonly trailingSlash?: boolean;
}

export type ParamsOf<E> =
  E extends EndpointDeclaration<infer Path, infer _Query, infer _Body> ? PathParams<Path> : never;
export type QueryOf<E> =
  E extends EndpointDeclaration<infer _Path, infer Query, infer _Body>
    ? StaticOr<Query, Record<string, never>>
    : never;
export type BodyOf<E> =
  E extends EndpointDeclaration<infer _Path, infer _Query, infer Body> ? StaticOr<Body, undefined> : never;

/** Declares an endpoint; the types of its parameters, query and body follow from the declaration. */
export function endpoint<
  const Path extends string,
  Query extends TObject | undefined = undefined,
  Body extends TSchema | undefined = undefined,
>(declaration: EndpointDeclaration<Path, Query, Body>): EndpointDeclaration<Path, Query, Body> {
  return declaration;
}

type ServerEndpoint<
  Path extends string,
  Query extends TObject | undefined,
  Body extends TSchema | undefined,
> = EndpointDeclaration<Path, Query, Body> & { readonly access: "server" };

/** Declares an endpoint for other homeservers. How much they may ask for is counted for each server, whatever it asks. */
export function serverEndpoint<
  const Path extends string,
  Query extends TObject | undefined = undefined,
  Body extends TSchema | undefined = undefined,
>(
  declaration: Omit<EndpointDeclaration<Path, Query, Body>, "access" | "api" | "prefix" | "rateLimit">,
): ServerEndpoint<Path, Query, Body> {
  return {
    ...declaration,
    prefix: "/_matrix/federation",
    api: "federation",
    access: "server",
    rateLimit: "none",
  };
}

/** Every complete path of an endpoint, parameters in braces. */
export function pathsOf(declaration: EndpointDeclaration): string[] {
  const prefix = declaration.prefix ?? "/_matrix/client";
  const versioned = declaration.versions.map((version) => `${prefix}/${version}${declaration.path}`);
  const plain = declaration.versions.length === 0 ? [declaration.path] : [];
  return [...versioned, ...plain, ...(declaration.aliases ?? [])];
}
