import { hash } from "node:crypto";
import { isJsonObject, type JsonObject } from "../protocol/json.ts";

/** Why a client cannot be registered, by a code of RFC 7591. */
export interface MetadataFault {
  readonly error: "invalid_redirect_uri" | "invalid_client_metadata";
  readonly description: string;
}

/** What this server keeps of a client: what it does not know is left away, as the specification has it. Its keys have one order. */
export interface ClientMetadata {
  readonly [key: string]: string | string[] | undefined;
  readonly client_uri: string;
  readonly redirect_uris: string[];
}

export const deviceCodeGrant = "urn:ietf:params:oauth:grant-type:device_code";
const grantTypes: readonly string[] = ["authorization_code", "refresh_token", deviceCodeGrant];
const maxTextLength = 2_000;
const maxRedirectUris = 20;

class Fault extends Error {
  readonly fault: MetadataFault;

  constructor(error: MetadataFault["error"], description: string) {
    super(description);
    this.fault = { error, description };
  }
}

/**
 * The metadata with which a client registers itself (client-server API, "Client metadata"; RFC 7591).
 * @returns what is kept of them, or what is wrong
 */
export function parseClientMetadata(
  given: unknown,
): { readonly metadata: ClientMetadata } | { readonly fault: MetadataFault } {
  try {
    return { metadata: checkedMetadata(given) };
  } catch (error) {
    if (error instanceof Fault) return { fault: error.fault };
    throw error;
  }
}

/** The same metadata are the same client: so registrations do not grow in number with the devices that make them. */
export function clientIdOf(metadata: ClientMetadata): string {
  return hash("sha256", JSON.stringify(metadata), "base64url").slice(0, 26);
}

function checkedMetadata(given: unknown): ClientMetadata {
  if (!isJsonObject(given)) throw wrong("client metadata are a JSON object");
  const clientUri = webUri(given, "client_uri") ?? fail("client_uri is missing");
  const base = new URL(clientUri).hostname;
  const applicationType = text(given, "application_type") ?? "web";
  if (applicationType !== "web" && applicationType !== "native") {
    throw wrong("application_type has to be web or native");
  }
  const grants = listOf(given, "grant_types") ?? ["authorization_code"];
  const known = grantTypes.filter((grant) => grants.includes(grant));
  if (!known.includes("authorization_code") && !known.includes(deviceCodeGrant)) {
    throw wrong("grant_types has none by which this server gives tokens: authorization_code or device_code");
  }
  const uris = listOf(given, "redirect_uris") ?? [];
  if (uris.length > maxRedirectUris)
    throw badRedirect(`there are more than ${maxRedirectUris} redirect_uris`);
  for (const uri of uris) checkRedirectUri(uri, applicationType, base);
  checkCodeGrant(given, known, uris);
  const method = text(given, "token_endpoint_auth_method") ?? "none";
  if (method !== "none")
    throw wrong("token_endpoint_auth_method has to be none: clients have no secrets here");
  const name = text(given, "client_name");
  return {
    client_uri: clientUri,
    ...(name !== undefined && { client_name: name }),
    ...optionalUris(given, base),
    redirect_uris: uris,
    response_types: known.includes("authorization_code") ? ["code"] : [],
    grant_types: known,
    token_endpoint_auth_method: method,
    application_type: applicationType,
  };
}

/** "This MUST include the code value to use the authorisation code grant", and at least one redirect URI. */
function checkCodeGrant(given: JsonObject, grants: readonly string[], uris: readonly string[]): void {
  if (!grants.includes("authorization_code")) return;
  if (uris.length === 0) throw badRedirect("the authorization_code grant needs redirect_uris");
  const responseTypes = listOf(given, "response_types") ?? ["code"];
  if (!responseTypes.includes("code")) throw wrong("response_types has to have code");
}

function optionalUris(given: JsonObject, base: string): Record<string, string> {
  const uris: Record<string, string> = {};
  for (const key of ["logo_uri", "tos_uri", "policy_uri"]) {
    const uri = webUri(given, key);
    if (uri === undefined) continue;
    if (!isWithin(new URL(uri).hostname, base)) throw wrong(`${key} has to be on the host of client_uri`);
    uris[key] = uri;
  }
  return uris;
}

/** Client-server API, "Redirect URI validation". */
function checkRedirectUri(uri: string, applicationType: "web" | "native", base: string): void {
  const url = URL.parse(uri);
  if (!url || uri.length > maxTextLength) throw badRedirect("a redirect URI is no URI");
  if (uri.includes("#")) throw badRedirect("a redirect URI must not have a fragment");
  if (url.username !== "" || url.password !== "") throw badRedirect("a redirect URI must not have a user");
  if (url.protocol === "https:") {
    if (!isWithin(url.hostname, base)) {
      throw badRedirect(`a redirect URI has to be on ${base}, the host of client_uri, or on one below it`);
    }
    return;
  }
  if (applicationType === "web")
    throw badRedirect("redirect URIs of web clients have to begin with https://");
  if (url.protocol === "http:") checkLoopback(uri, url);
  else checkPrivateScheme(uri, url, base);
}

function checkLoopback(uri: string, { hostname }: URL): void {
  if (!["localhost", "127.0.0.1", "[::1]"].includes(hostname)) {
    throw badRedirect("redirect URIs with http:// have to be on localhost, 127.0.0.1 or [::1]");
  }
  // As it is written: the default port would be left away in the parsed form.
  if (/^http:\/\/(\[[^\]]*\]|[^[/?#:]*):/.test(uri)) {
    throw badRedirect(
      "redirect URIs on the loopback interface must not have a port: any port is accepted later",
    );
  }
}

function checkPrivateScheme(uri: string, { protocol }: URL, base: string): void {
  const reversed = base.split(".").toReversed().join(".");
  const scheme = protocol.slice(0, -1);
  if (scheme !== reversed && !scheme.startsWith(`${reversed}.`)) {
    throw badRedirect(
      `the scheme of a redirect URI has to begin with ${reversed}, the reversed host of client_uri`,
    );
  }
  if (/^[^:]+:\/\//.test(uri))
    throw badRedirect("a redirect URI with a scheme of its own has no host: use one slash");
}

function isWithin(hostname: string, base: string): boolean {
  return hostname === base || hostname.endsWith(`.${base}`);
}

function webUri(given: JsonObject, key: string): string | undefined {
  const uri = text(given, key);
  if (uri === undefined) return undefined;
  const url = URL.parse(uri);
  if (url?.protocol !== "https:" || url.username !== "" || url.password !== "") {
    throw wrong(`${key} has to be an https:// address without a user`);
  }
  return uri;
}

function text(given: JsonObject, key: string): string | undefined {
  const value = given[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && value.length <= maxTextLength && value.isWellFormed()) return value;
  throw wrong(`${key} has to be a text of at most ${maxTextLength} characters`);
}

function listOf(given: JsonObject, key: string): string[] | undefined {
  const value = given[key];
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return [...new Set(value)];
  throw wrong(`${key} has to be a list of texts`);
}

function fail(description: string): never {
  throw wrong(description);
}

function wrong(description: string): Fault {
  return new Fault("invalid_client_metadata", description);
}

function badRedirect(description: string): Fault {
  return new Fault("invalid_redirect_uri", description);
}
