import t, { type Test } from "tap";
import { type EndpointDeclaration, pathsOf } from "../../src/api/endpoint.ts";
import { clientEndpoints } from "../support/declarations.ts";
import { registerUser } from "../support/client.ts";
import { faultsOfProbes, type Probe } from "../support/probe.ts";
import type { RawRequest } from "../support/raw-request.ts";
import { allowedToken, fillPath, makeRequestSamples, samplesConfig } from "../support/request-samples.ts";
import { createRoom } from "../support/rooms.ts";
import { type JsonSchema, smallestValue, wrongTexts, wrongValues } from "../support/schema-values.ts";
import { startServer } from "../support/server.ts";

// What every endpoint makes of input that is wrong or odd; it follows from the declarations which that is.

const server = await startServer(samplesConfig(t.testdir()));
t.teardown(() => server[Symbol.asyncDispose]());
const samples = await makeRequestSamples(server);
const declarations = await clientEndpoints();

/** Holds the answers to requests that are made for each endpoint; the failures of one are shown together. */
async function eachEndpoint(
  t: Test,
  probesOf: (request: RawRequest, declaration: EndpointDeclaration) => Iterable<Probe>,
): Promise<void> {
  for (const declaration of declarations) {
    const probes = [...probesOf(validRequest(declaration), declaration)].map(anew);
    t.strictSame(await faultsOfProbes(server.url, probes), [], declaration.operationId);
  }
}

let transactions = 0;

/** No request repeats another's transaction: its answer would be that of the other. */
function anew(probe: Probe): Probe {
  const { request } = probe;
  const path = request.path.replace("a-transaction", `transaction-${++transactions}`);
  return { ...probe, request: { ...request, path } };
}

/** Whoever left their room would be refused by all that comes after. */
const roomToLeave = { ...samples.parameters, roomId: await createRoom(samples.user) };

/** Administrators end accounts. */
const userToChange = { ...samples.parameters, userId: (await registerUser(server)).userId };

function parametersFor({ operationId, access, method }: EndpointDeclaration): typeof samples.parameters {
  if (access === "admin" && method !== "GET") return userToChange;
  return operationId === "leaveRoom" ? roomToLeave : samples.parameters;
}

/** A request that an endpoint does not refuse for its form. */
function validRequest(declaration: EndpointDeclaration, parameters = parametersFor(declaration)): RawRequest {
  const { method, body, query } = declaration;
  const [path = ""] = pathsOf(declaration);
  const search = query ? searchOf(smallestValue(query) as object, parameters) : "";
  return {
    method,
    path: fillPath(path, parameters) + search,
    ...(declaration.access !== "public" && { accessToken: allowedToken(declaration, samples) }),
    ...(body && { body: JSON.stringify(smallestValue(body)) }),
  };
}

/** @param parameters for those that have the name of a path parameter */
function searchOf(query: object, parameters: Readonly<Record<string, string>>): string {
  const entries = Object.entries(query).map(([name, value]) => [name, parameters[name] ?? String(value)]);
  return entries.length === 0 ? "" : `?${new URLSearchParams(entries).toString()}`;
}

/** What a client would see if a refused request had changed something: any such change moves the position of sync. */
async function stateOfThings(): Promise<unknown> {
  const { user } = samples;
  const sync = await user.get("/_matrix/client/v3/sync?set_presence=offline");
  const devices = await user.get("/_matrix/client/v3/devices");
  const backup = await user.get("/_matrix/client/v3/room_keys/version");
  const { devices: list } = devices.body as { devices: { device_id: string; display_name?: string }[] };
  return {
    position: sync.body["next_batch"],
    devices: list.map(({ device_id: id, display_name: name }) => [id, name]),
    backup: backup.body,
  };
}

/** Runs a test all of whose requests are refused, and so change nothing. */
function refusing(name: string, run: (t: Test) => Promise<void>): void {
  void t.test(name, async (t) => {
    const before = await stateOfThings();
    await run(t);
    t.strictSame(await stateOfThings(), before, "nothing has changed");
  });
}

refusing("a body that is not JSON is M_NOT_JSON", (t) =>
  eachEndpoint(t, function* (request, { body: schema }) {
    if (!schema) return;
    for (const body of ['{"a":1', '{"a":1}}', "{'a':1}", "\u0000"]) {
      yield { request: { ...request, body }, expected: { status: 400, errcode: "M_NOT_JSON" }, about: body };
    }
  }),
);

refusing("a body of wrong types, or without what is needed, is M_BAD_JSON", (t) =>
  eachEndpoint(t, function* (request, { body: schema }) {
    if (!schema) return;
    for (const { place, value } of wrongValues(schema)) {
      const body = JSON.stringify(value);
      const about = `${place === "" ? "body" : `body${place}`} in ${body}`;
      const expected = { status: 400, errcode: ["M_BAD_JSON", "M_MISSING_PARAM"] };
      yield { request: { ...request, body }, expected, about };
    }
  }),
);

refusing("query parameters of wrong types, or missing, are M_INVALID_PARAM or M_MISSING_PARAM", (t) =>
  eachEndpoint(t, function* (request, { query: schema }) {
    const [path = "", search] = request.path.split("?");
    const { properties = {}, required = [] } = (schema ?? {}) as JsonSchema;
    const asked = (change: (query: URLSearchParams) => void): RawRequest => {
      const query = new URLSearchParams(search);
      change(query);
      return { ...request, path: `${path}?${query.toString()}` };
    };
    for (const name of required) {
      const missing = asked((query) => query.delete(name));
      yield { request: missing, expected: { status: 400, errcode: "M_MISSING_PARAM" } };
    }
    for (const [name, property] of Object.entries(properties)) {
      for (const text of wrongTexts(property)) {
        const wrong = asked((query) => query.set(name, text));
        yield { request: wrong, expected: { status: 400, errcode: "M_INVALID_PARAM" } };
      }
    }
  }),
);

/** No text at all, as they stand in a path. */
const undecodable = ["%ZZ", "%00", "%ED%A0%80"];
/** Texts as they stand in a path that may be anything, but the name of a user, room or event. */
const oddTexts = ["", "%2F", "..", "%F0%9F%98%80", "%0A", "__proto__", "nonsense"];

const sigils: Readonly<Record<string, string>> = {
  userId: "%40",
  roomId: "!",
  eventId: "%24",
  roomAlias: "%23",
  roomIdOrAlias: "!",
};

/** Texts that begin as identifiers do, and are none. */
function almostIdentifiers(sigil: string): string[] {
  return [sigil, `${sigil}x:`, `${sigil}${"x".repeat(10_000)}:hearth.test`, `${sigil}x%2F`];
}

/** A user may keep something for any room, and an administrator may block one before anybody here has heard of it. */
const takesAnyRoom = /AccountDataPerRoom|RoomTag|RoomKey|RoomBlock/;
/** It makes an account that is not there, which would be known to all that comes after. */
const makesUsers = "adminPutUser";

t.test("path parameters that name nothing are refused, whatever they are", (t) =>
  eachEndpoint(t, function* (_request, declaration) {
    const { operationId, method } = declaration;
    for (const [, name = ""] of declaration.path.matchAll(/\{(\w+)\}/g)) {
      const { path, ...request } = validRequest(declaration, { ...samples.parameters, [name]: "MARK" });
      const asked = (text: string): RawRequest => ({ ...request, path: path.replace("MARK", text) });
      const refused = { isRefused: true };
      for (const text of undecodable) yield { request: asked(text), expected: refused };
      const sigil = sigils[name];
      const isIdentifier = sigil !== undefined;
      for (const text of oddTexts) yield { request: asked(text), expected: { isRefused: isIdentifier } };
      const stores = method !== "GET" && method !== "DELETE";
      const long = asked("x".repeat(10_000));
      yield { request: long, expected: { isRefused: isIdentifier || stores }, about: `long ${name}` };
      if (!isIdentifier) continue;
      for (const text of almostIdentifiers(sigil)) yield { request: asked(text), expected: refused };
      if (operationId === makesUsers) continue;
      const isTaken = name === "roomId" && takesAnyRoom.test(operationId);
      yield { request: asked(`${sigil}unknown:hearth.test`), expected: { isRefused: !isTaken } };
    }
  }),
);

const nested = (levels: number, inside = "1") => `${'{"a":'.repeat(levels)}${inside}${"}".repeat(levels)}`;

/** JSON that is odd, though it is JSON: as the body, as the value of a key that nobody knows, and of each declared one. */
const oddJson: readonly string[] = [
  nested(900),
  "1e400",
  "123456789012345678901234567890",
  String.raw`"\udc00\ud800"`,
  String.raw`"\u0000"`,
  '{"__proto__":{"a":1},"constructor":{"prototype":1},"a":1,"a":2}',
  String.raw`{"\ud800":1}`,
  `"${"x".repeat(70_000)}"`,
];

refusing("JSON that is nested too deep is M_BAD_JSON", (t) =>
  eachEndpoint(t, function* (request, { body: schema }) {
    if (!schema) return;
    const expected = { status: 400, errcode: "M_BAD_JSON" };
    yield { request: { ...request, body: nested(10_000) }, expected };
    yield { request: { ...request, body: `{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}` }, expected };
  }),
);

t.test("odd JSON is handled or refused, and no more comes of it", (t) =>
  eachEndpoint(t, function* (request, { body }) {
    if (!body) return;
    const schema: JsonSchema = body;
    const whole = smallestValue(schema) as Record<string, unknown>;
    const keys = ["unknown", ...Object.keys(schema.properties ?? {})];
    for (const json of oddJson) {
      yield { request: { ...request, body: json }, about: json.slice(0, 50) };
      for (const key of keys) {
        const text = JSON.stringify({ ...whole, [key]: "MARK" }).replace('"MARK"', () => json);
        yield { request: { ...request, body: text }, about: text.slice(0, 50) };
      }
    }
  }),
);

t.test("a body that is larger than an endpoint takes is M_TOO_LARGE", async (t) => {
  const bounds = new Map(
    declarations
      .filter(({ body }) => body !== undefined)
      .map((declaration) => [declaration.maxBodyBytes ?? 1024 * 1024, declaration]),
  );
  for (const [maxBytes, declaration] of bounds) {
    const body = `{"a":"${"x".repeat(maxBytes)}"}`;
    const request = { ...validRequest(declaration), body };
    const expected = { status: 413, errcode: "M_TOO_LARGE" };
    const unannounced = { ...request, headers: { "Transfer-Encoding": "chunked" } };
    const faults = await faultsOfProbes(server.url, [
      { request, expected },
      { request: unannounced, expected },
    ]);
    t.strictSame(faults, [], `${declaration.operationId}: ${maxBytes} bytes`);
  }
});
