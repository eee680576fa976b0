import type { EndpointDeclaration } from "../api/endpoint.ts";
import type { InteractiveAuth } from "../auth/interactive.ts";
import type { Authenticator, Requester } from "../auth/requester.ts";
import type { ServerAuthentication } from "../auth/server-authentication.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import { readFormBody, readJsonBody } from "./body.ts";
import type { RateLimiter } from "./rate-limit.ts";
import type { Request, RequestContext } from "./request.ts";
import { checkEncoding } from "./request-path.ts";
import { serverPipeline } from "./server-pipeline.ts";
import { Checker, QueryReader } from "./validation.ts";

/** An endpoint together with what serves it. */
export interface BoundEndpoint {
  readonly declaration: EndpointDeclaration;
  readonly handle: (request: Request<EndpointDeclaration>) => Promise<object>;
}

/** Binds a handler to its declaration: the handler's request is typed by it. Returns a JSON object, `Reply` or `JsonChunks`. */
export function handler<E extends EndpointDeclaration>(
  declaration: E,
  handle: (request: Request<E>) => Promise<object>,
): BoundEndpoint {
  if (declaration.access === "admin" && declaration.method !== "GET") {
    throw new Error(
      `${declaration.operationId} is for administrators to change something: bind it by "audited"`,
    );
  }
  return unaudited(declaration, handle);
}

/** As `handler`, for what tells the audit log itself. */
export function unaudited<E extends EndpointDeclaration>(
  declaration: E,
  handle: (request: Request<E>) => Promise<object>,
): BoundEndpoint {
  // The pipeline has checked the request against the declaration before it calls.
  return { declaration, handle };
}

export interface PipelineParts {
  readonly authenticator: Authenticator;
  readonly rateLimiter: RateLimiter;
  readonly interactive: InteractiveAuth;
  readonly servers: ServerAuthentication;
}

export interface PipelineOptions extends PipelineParts {
  /** Whether `?access_token=` counts, where there is no `Authorization` header. */
  readonly tokensInQuery: boolean;
}

/** Serves a request whose path has these parameters. Returns what the endpoint's handler does. */
export type Serve = (context: RequestContext, params: Readonly<Record<string, string>>) => Promise<object>;

/** What happens with each request of an endpoint: authenticate, rate-limit, parse, validate, call. */
export function pipeline(bound: BoundEndpoint, parts: PipelineOptions): Serve {
  const { declaration, handle } = bound;
  if (declaration.access === "server") return serverPipeline(bound, parts.servers);
  const queryReader = declaration.query && new QueryReader(declaration.query);
  const bodyChecker = declaration.body && new Checker(declaration.body, "M_BAD_JSON");
  const hasParameters = declaration.path.includes("{");
  return async (context, params) => {
    const requester = await authenticate(context, declaration, parts);
    parts.rateLimiter.check(declaration.rateLimit, requester, context.address);
    if (hasParameters) checkEncoding(context.path);
    const query = queryReader ? queryReader.read(context.search) : {};
    let body: unknown;
    if (bodyChecker) {
      const read = declaration.bodyFormat === "form" ? readFormBody : readJsonBody;
      body = await read(context.incoming, declaration.maxBodyBytes);
      if (declaration.interactive) body = parts.interactive.completeBody({ body, requester, context });
      bodyChecker.check(body);
    }
    const result = await handle({ params, query, body, requester, context } as Request<EndpointDeclaration>);
    if (declaration.interactive) parts.interactive.end(body);
    return result;
  };
}

async function authenticate(
  context: RequestContext,
  declaration: EndpointDeclaration,
  { authenticator, tokensInQuery }: PipelineOptions,
): Promise<Requester | undefined> {
  const { access } = declaration;
  if (access === "public") return undefined;
  const token = bearerToken(context) ?? (tokensInQuery ? tokenInQuery(context) : undefined);
  if (access === "optional-appservice")
    return token === undefined ? token : authenticator.appserviceOf(token);
  if (token === undefined) {
    if (access === "optional-user") return undefined;
    throw new MatrixError(
      "M_MISSING_TOKEN",
      "This endpoint needs an access token in the Authorization header",
    );
  }
  const requester = await authenticator.requesterOf(token, context);
  if (requester.isLocked && !declaration.whileLocked) {
    throw new MatrixError("M_USER_LOCKED", "This account has been locked", { soft_logout: true });
  }
  if (requester.isGuest && !declaration.guests) {
    throw new MatrixError("M_GUEST_ACCESS_FORBIDDEN", "Guests may not do this: register an account");
  }
  if (access === "admin" && !requester.isAdmin) {
    throw new MatrixError("M_FORBIDDEN", "Only an administrator of this server may do this");
  }
  if (access === "appservice" && requester.appserviceId === undefined) {
    throw new MatrixError("M_FORBIDDEN", "Only an application service may do this, with its as_token");
  }
  return requester;
}

function tokenInQuery({ search }: RequestContext): string | undefined {
  return new URLSearchParams(search).get("access_token") ?? undefined;
}

function bearerToken({ incoming }: RequestContext): string | undefined {
  return /^Bearer +(\S+)$/i.exec(incoming.headers.authorization ?? "")?.[1];
}
