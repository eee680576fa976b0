import type { IncomingMessage } from "node:http";
import type { EndpointDeclaration } from "../api/endpoint.ts";
import type { ServerAuthentication } from "../auth/server-authentication.ts";
import { encodeCanonicalJson } from "../protocol/canonical-json.ts";
import { StrictJsonError } from "../protocol/errors.ts";
import type { JsonValue } from "../protocol/json.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import { parseStrictJson } from "../protocol/strict-json.ts";
import { readBytes } from "./body.ts";
import type { BoundEndpoint, Serve } from "./pipeline.ts";
import type { Request } from "./request.ts";
import { checkEncoding } from "./request-path.ts";
import { Checker, QueryReader } from "./validation.ts";

const defaultMaxBodyBytes = 1024 * 1024;

/** What happens with each request of another server: parse, authenticate, rate-limit, validate, call. */
export function serverPipeline(bound: BoundEndpoint, servers: ServerAuthentication): Serve {
  const { declaration, handle } = bound;
  const queryReader = declaration.query && new QueryReader(declaration.query);
  const bodyChecker = declaration.body && new Checker(declaration.body, "M_BAD_JSON");
  return async (context, params) => {
    const { incoming } = context;
    // Whom this server does not talk with gives it no more work than this.
    const claims = servers.claimsOf(incoming.headersDistinct["authorization"] ?? []);
    // The signature covers the body: it has to be read before it is known whose it is.
    const body = bodyChecker ? await readBody(incoming, declaration.maxBodyBytes) : undefined;
    const serverName = await servers.originOf(claims, {
      method: context.method,
      uri: incoming.url ?? "",
      content: body === undefined ? undefined : encodeCanonicalJson(body, { strict: false }),
    });
    using _place = servers.admit(serverName);
    checkEncoding(context.path);
    const query = queryReader ? queryReader.read(context.search) : {};
    bodyChecker?.check(body ?? {});
    return handle({
      params,
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
async function readBody(
  incoming: IncomingMessage,
  maxBytes = defaultMaxBodyBytes,
): Promise<JsonValue | undefined> {
  const bytes = await readBytes(incoming, maxBytes);
  if (bytes.length === 0) return undefined;
  try {
    return parseStrictJson(bytes);
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error;
    throw new MatrixError(error.reason === "syntax" ? "M_NOT_JSON" : "M_BAD_JSON", error.message);
  }
}
