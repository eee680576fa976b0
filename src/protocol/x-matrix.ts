import { encodeJsonString } from "./canonical-json.ts";
import type { SigningKey, VerifyKey } from "./ed25519.ts";
import { XMatrixError } from "./errors.ts";
import type { ServerName } from "./identifiers.ts";
import { isServerName } from "./server-name.ts";

/** What a server signs of a request (server-server API, "Request Authentication"). */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as they stand in the request line, from `/_matrix` on. */
  readonly uri: string;
  readonly origin: ServerName;
  readonly destination: ServerName;
  /** The canonical JSON of the body; `undefined` for a request without one. */
  readonly content: string | undefined;
}

/** What an `X-Matrix` header says. */
export interface XMatrixCredentials {
  readonly origin: ServerName;
  /** Absent from requests of servers older than version 1.3 of the specification. */
  readonly destination: ServerName | undefined;
  readonly keyId: string;
  /** Base64. */
  readonly signature: string;
}

/** No header that servers send is near this long. */
const maxHeaderLength = 8192;

/** The canonical JSON that a request's signature covers. */
export function requestText(request: SignedRequest): string {
  const { content } = request;
  return [
    `{${content === undefined ? "" : `"content":${content},`}`,
    `"destination":${encodeJsonString(request.destination)},`,
    `"method":${encodeJsonString(request.method)},`,
    `"origin":${encodeJsonString(request.origin)},`,
    `"uri":${encodeJsonString(request.uri)}}`,
  ].join("");
}

/** The value of the `Authorization` header for a request of this server. */
export function authorizeRequest(request: SignedRequest, key: SigningKey): string {
  const signature = key.sign(requestText(request));
  return `X-Matrix origin="${request.origin}",destination="${request.destination}",key="${key.keyId}",sig="${signature}"`;
}

/** Whether a request is signed as its header says, by the given key of its origin. */
export function isRequestSigned(
  request: SignedRequest,
  credentials: XMatrixCredentials,
  key: VerifyKey,
): boolean {
  return (
    request.origin === credentials.origin &&
    key.keyId === credentials.keyId &&
    key.verify(requestText(request), credentials.signature)
  );
}

/**
 * Reads an `Authorization` header of another server.
 * @throws XMatrixError
 */
export function parseXMatrix(header: string): XMatrixCredentials {
  const parameters = parseXMatrixParameters(header);
  const origin = requireParameter(parameters, "origin");
  const destination = parameters.get("destination");
  if (!isServerName(origin)) throw new XMatrixError("syntax", "`origin` must be a server name.");
  if (destination !== undefined && !isServerName(destination)) {
    throw new XMatrixError("syntax", "`destination` must be a server name.");
  }
  return {
    origin,
    destination,
    keyId: requireParameter(parameters, "key"),
    signature: requireParameter(parameters, "sig"),
  };
}

function requireParameter(parameters: ReadonlyMap<string, string>, name: string): string {
  const value = parameters.get(name);
  if (value !== undefined) return value;
  throw new XMatrixError("missing-parameter", `The X-Matrix header lacks \`${name}\`.`);
}

const scheme = /^X-Matrix +/i;
// RFC 9110, section 11.2. Unquoted values may hold more than a token, since older servers do not quote colons.
const parameter =
  /[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))[ \t]*(?:,|$)/y;
// RFC 9110, section 5.6.1.2: empty elements of a list are to be ignored.
const emptyElements = /[ \t,]*/y;

/**
 * The parameters of an `X-Matrix` header, names in lower case, values unquoted.
 * @throws XMatrixError
 */
export function parseXMatrixParameters(header: string): Map<string, string> {
  if (header.length > maxHeaderLength) throw new XMatrixError("too-long", "The X-Matrix header is too long.");
  const start = scheme.exec(header);
  if (start === null) throw new XMatrixError("wrong-scheme", "The authorization scheme must be X-Matrix.");
  const parameters = new Map<string, string>();
  let index = endOfMatch(emptyElements, header, start[0].length);
  while (index < header.length) {
    parameter.lastIndex = index;
    const match = parameter.exec(header);
    const name = match?.[1]?.toLowerCase();
    if (match === null || name === undefined || parameters.has(name)) {
      throw new XMatrixError("syntax", "The X-Matrix header must be a list of name=value, each name once.");
    }
    parameters.set(name, match[3] ?? (match[2] ?? "").replaceAll(/\\(.)/g, "$1"));
    index = endOfMatch(emptyElements, header, parameter.lastIndex);
  }
  return parameters;
}

function endOfMatch(pattern: RegExp, text: string, index: number): number {
  pattern.lastIndex = index;
  pattern.exec(text);
  return pattern.lastIndex;
}
