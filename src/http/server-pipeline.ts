import type { Context, Middleware } from "koa";
import type { EndpointDeclaration } from "../api/endpoint.ts";
import type { ServerAuthentication } from "../auth/server-authentication.ts";
import { encodeCanonicalJson } from "../protocol/canonical-json.ts";
import { StrictJsonError } from "../protocol/errors.ts";
import type { JsonValue } from "../protocol/json.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import { parseStrictJson } from "../protocol/strict-json.ts";
import { readBytes } from "./body.ts";
import type { BoundEndpoint } from "./pipeline.ts";
import type { Request, RequestContext } from "./request.ts";
import { checkEncoding } from "./request-path.ts";
import { Checker, QueryReader } from "./validation.ts";

const defaultMaxBodyBytes = 1024 * 1024;

/** What happens with each request of another server: parse, authenticate, rate-limit, validate, call. */
export function serverPipeline(bound: BoundEndpoint, servers: ServerAuthentication): Middleware {
  const { declaration, handle } = bound;
  const queryReader = declaration.query && new QueryReader(declaration.query);
  const bodyChecker = declaration.body && new Checker(declaration.body, "M_BAD_JSON");
  return async (koa) => {
    const context = koa.state["context"] as RequestContext;
    // Whom this server does not talk with gives it no more work than this.
    const claims = servers.claimsOf(koa.req.headersDistinct["authorization"] ?? []);
    // The signature covers the body: it has to be read before it is known whose it is.
    const body = bodyChecker ? await readBody(koa, declaration.maxBodyBytes) : undefined;
    const serverName = await servers.originOf(claims, {
      method: koa.method,
      uri: koa.url,
      content: body === undefined ? undefined : encodeCanonicalJson(body, { strict: false }),
    });
    using _place = servers.admit(serverName);
    checkEncoding(koa.path);
    const query = queryReader ? queryReader.read(koa.search) : {};
    bodyChecker?.check(body ?? {});
    koa.state["result"] = await handle({
      params: koa["params"] as Record<string, string>,
      query,
      body: body ?? {},
      requester: { serverName },
      context,
    } as unknown as Request<EndpointDeclaration>);
  };
}

/**
 * Reads a body so that nothing of it is lost that its signatures cover. `undefined` when there is none.
 * @throws MatrixError M_TOO_LARGE, M_NOT_JSON, M_BAD_JSON
 */
async function readBody(koa: Context, maxBytes = defaultMaxBodyBytes): Promise<JsonValue | undefined> {
  const bytes = await readBytes(koa.req, maxBytes);
  if (bytes.length === 0) return undefined;
  try {
    return parseStrictJson(bytes);
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error;
    throw new MatrixError(error.reason === "syntax" ? "M_NOT_JSON" : "M_BAD_JSON", error.message);
  }
}
