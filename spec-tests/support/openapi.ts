import { AssertionError } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Set as defineFormat } from "typebox/format";
import { Compile, type Validator } from "typebox/schema";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/protocol/json.ts";
import { specDataFile } from "./spec-data.ts";

/**
 * Where Hearth knowingly answers what the description does not have, by operation. `/joined_members` says null of a member
 * without a name or an avatar: all other servers do, and Complement wants the keys to be there.
 */
const deviations: Readonly<Record<string, RegExp>> = {
  getJoinedMembersByRoom: /^\/joined\/[^/]+\/(display_name|avatar_url) must be string$/,
};

/** What the specification says about the answers of one API, from its OpenAPI document. */
export class ApiDescription {
  readonly #components: JsonValue;
  readonly #operations: ReadonlyMap<string, JsonObject>;
  readonly #validators = new Map<JsonObject, Validator>();

  constructor(document: JsonObject) {
    this.#components = document["components"] ?? {};
    this.#operations = new Map(operationsOf(document));
  }

  get operationIds(): readonly string[] {
    return [...this.#operations.keys()];
  }

  /**
   * Holds an answer to the description of its operation. An error that the operation does not list must be a standard
   * error response: any endpoint may answer with those.
   *
   * @param body the parsed JSON, which is not looked at where the description has none
   * @throws AssertionError saying what does not fit
   */
  assertResponse(operationId: string, status: number, body: unknown): void {
    const schema = this.#schemaOf(operationId, status);
    if (schema === undefined) return;
    const [fits, errors] = this.#validator(schema).Errors(body);
    if (fits) return;
    const problems = errors
      .map(({ instancePath, message }) => `${instancePath || "/"} ${message}`)
      .filter((problem) => !deviations[operationId]?.test(problem));
    if (problems.length === 0) return;
    throw new AssertionError({
      message: `${operationId} answered ${status} with what the specification does not have: ${problems.slice(0, 10).join("; ")}`,
      actual: body,
    });
  }

  #schemaOf(operationId: string, status: number): JsonObject | undefined {
    const responses = this.#operations.get(operationId);
    if (responses === undefined) {
      throw new AssertionError({ message: `the specification has no operation ${operationId}` });
    }
    const response = responses[String(status)];
    if (isJsonObject(response)) return jsonSchemaOf(response);
    if (status >= 400) return standardError;
    throw new AssertionError({ message: `the specification has no status ${status} for ${operationId}` });
  }

  #validator(schema: JsonObject): Validator {
    const known = this.#validators.get(schema);
    if (known !== undefined) return known;
    // A schema's references start at the root of the document, where it finds what they point to.
    const validator = Compile({ ...schema, components: this.#components });
    this.#validators.set(schema, validator);
    return validator;
  }
}

/** Client-server API, "Standard error response". */
const standardError: JsonObject = {
  type: "object",
  properties: { errcode: { type: "string", pattern: "^[A-Z0-9_.]+$" }, error: { type: "string" } },
  required: ["errcode", "error"],
};

function* operationsOf(document: JsonObject): Generator<[operationId: string, responses: JsonObject]> {
  for (const path of Object.values(document["paths"] ?? {})) {
    for (const operation of Object.values(isJsonObject(path) ? path : {})) {
      if (!isJsonObject(operation)) continue;
      const { operationId, responses } = operation;
      if (typeof operationId === "string" && isJsonObject(responses)) yield [operationId, responses];
    }
  }
}

function jsonSchemaOf({ content }: JsonObject): JsonObject | undefined {
  const json = isJsonObject(content) ? content["application/json"] : undefined;
  const schema = isJsonObject(json) ? json["schema"] : undefined;
  return isJsonObject(schema) ? schema : undefined;
}

/** The string formats of the specification (appendices, "Identifier Grammar"), as far as tests must tell them apart. */
const formats: Readonly<Record<string, RegExp>> = {
  "mx-user-id": /^@[^:\0]*:[^\0]+$/u,
  "mx-room-id": /^![^\0]+$/u,
  "mx-room-alias": /^#[^:\0]*:[^\0]+$/u,
  "mx-event-id": /^\$[^\0]+$/u,
  "mx-server-name": /^[A-Za-z0-9.:[\]-]+$/u,
  "mx-mxc-uri": /^mxc:\/\/[A-Za-z0-9.:[\]-]+\/[A-Za-z0-9_-]+$/u,
  "mx-unpadded-base64": /^[A-Za-z0-9+/]*$/u,
  "mx-urlsafe-unpadded-base64": /^[A-Za-z0-9_-]*$/u,
};

/**
 * Reads the description of an API from the specification's data.
 *
 * @param api the name of a file in `openapi/`, such as `client-server`
 * @returns `undefined` when the data is not there; see `specDataFile`
 */
function loadApiDescription(api: string): ApiDescription | undefined {
  const file = specDataFile(join("openapi", `${api}.json`));
  if (file === undefined) return undefined;
  for (const [name, pattern] of Object.entries(formats)) defineFormat(name, (value) => pattern.test(value));
  const document: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (!isJsonObject(document)) throw new Error(`${file} is not an OpenAPI document`);
  return new ApiDescription(document);
}

/** The client-server API, or `undefined` where the specification's data is not at hand. */
export const clientServerApi = loadApiDescription("client-server");

/** The server-server API, or `undefined` where the specification's data is not at hand. */
export const serverServerApi = loadApiDescription("server-server");

/**
 * Holds an answer of the client-server API to the specification. Does nothing where the specification's data is not at
 * hand.
 *
 * @throws AssertionError saying what does not fit
 */
export function assertMatchesSpec(operationId: string, status: number, body: unknown): void {
  clientServerApi?.assertResponse(operationId, status, body);
}
