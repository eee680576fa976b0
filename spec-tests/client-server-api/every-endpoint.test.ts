import t, { type Test } from "tap";
import { type EndpointDeclaration, pathsOf } from "../../src/api/endpoint.ts";
import { clientEndpoints } from "../support/declarations.ts";
import { type SpecEndpoint, specEndpoints } from "../support/endpoint-table.ts";
import { faultsOfProbes, type Probe } from "../support/probe.ts";
import { rawRequest } from "../support/raw-request.ts";
import {
  allowedToken,
  fillPath,
  makeRequestSamples,
  methodsByPath,
  needsToken,
  samplesConfig,
} from "../support/request-samples.ts";
import { startServer } from "../support/server.ts";

// What every endpoint has in common, tried under each path by which it is served. What it makes of odd input is in
// every-endpoint-input.test.ts.

const server = await startServer(samplesConfig(t.testdir()));
t.teardown(() => server[Symbol.asyncDispose]());
const samples = await makeRequestSamples(server);
const declarations = await clientEndpoints();
const methodsUnder = methodsByPath(declarations);

/**
 * Holds the answers to requests that are made for each path of each endpoint; the failures of one are shown together.
 * @param probesOf is told whether the path is the first of the endpoint, for what need not be tried under each
 */
async function eachPath(
  t: Test,
  probesOf: (path: string, declaration: EndpointDeclaration, isFirst: boolean) => readonly Probe[],
): Promise<void> {
  for (const declaration of declarations) {
    const paths = pathsOf(declaration).map((path) => fillPath(path, samples.parameters));
    const probes = paths.flatMap((path, index) => probesOf(path, declaration, index === 0));
    t.strictSame(await faultsOfProbes(server.url, probes), [], declaration.operationId);
  }
}

/** A body that is no more than JSON: what comes before it is looked at is the same for all. */
const bodyFor = ({ body }: EndpointDeclaration) => (body ? { body: "[]" } : {});

t.test("every endpoint is served", (t) =>
  eachPath(t, (path, declaration) => {
    // Where a token is needed, asking for it shows the same.
    if (needsToken(declaration)) return [];
    const { method } = declaration;
    return [{ request: { method, path, ...bodyFor(declaration) }, expected: { isServed: true } }];
  }),
);

t.test("a token is asked for where it is needed: M_MISSING_TOKEN, M_UNKNOWN_TOKEN", (t) =>
  eachPath(t, (path, declaration, isFirst) => {
    const request = { method: declaration.method, path, ...bodyFor(declaration) };
    const authorization = (value: string) => ({ ...request, headers: { Authorization: value } });
    const missing = { status: 401, errcode: "M_MISSING_TOKEN" };
    const unknown = { status: 401, errcode: "M_UNKNOWN_TOKEN" };
    if (["public", "optional-appservice"].includes(declaration.access)) return [];
    const probes: Probe[] = [{ request: authorization("Bearer unknown"), expected: unknown }];
    if (needsToken(declaration)) probes.push({ request, expected: missing });
    if (isFirst && needsToken(declaration)) {
      const long = authorization(`Bearer ${"x".repeat(2000)}`);
      probes.push(
        { request: authorization("Basic YTpi"), expected: missing, about: "basic authorization" },
        { request: authorization("Bearer"), expected: missing, about: "empty authorization" },
        { request: long, expected: unknown, about: "long token" },
      );
    }
    return probes;
  }),
);

t.test("nobody else may do what is for administrators, or for application services", (t) =>
  eachPath(t, (path, declaration) => {
    if (!["admin", "appservice"].includes(declaration.access)) return [];
    const { method } = declaration;
    const request = { method, path, accessToken: samples.user.accessToken, ...bodyFor(declaration) };
    return [{ request, expected: { status: 403, errcode: "M_FORBIDDEN" } }];
  }),
);

t.test("guests are refused where the declaration does not let them in", (t) =>
  eachPath(t, (path, declaration) => {
    if (!needsToken(declaration) || declaration.guests) return [];
    const { method } = declaration;
    const request = { method, path, accessToken: samples.guest.accessToken, ...bodyFor(declaration) };
    return [{ request, expected: { status: 403, errcode: "M_GUEST_ACCESS_FORBIDDEN" } }];
  }),
);

t.test("another method is 405 M_UNRECOGNIZED, another path 404 M_UNRECOGNIZED", (t) =>
  eachPath(t, (path, _declaration, isFirst) => {
    const served = methodsUnder(path);
    const others = ["GET", "PUT", "POST", "DELETE", "PATCH"].filter((method) => !served.has(method));
    const besides = isFirst ? [`${path}/a/b/c/d/e`, path.replace(/^\/_?[a-z.-]+/, "/_other")] : [];
    return [
      ...others.map((method) => ({
        request: { method, path },
        expected: { status: 405, errcode: "M_UNRECOGNIZED" },
      })),
      ...besides.map((beside) => ({
        request: { method: "GET", path: beside },
        expected: { status: 404, errcode: "M_UNRECOGNIZED" },
      })),
    ];
  }),
);

t.test("CORS: a browser may ask before it asks, and what it may do is said with every answer", async (t) => {
  for (const declaration of declarations) {
    for (const path of pathsOf(declaration)) {
      const filled = fillPath(path, samples.parameters);
      const answer = await rawRequest(server.url, { method: "OPTIONS", path: filled });
      t.equal(answer.status, 204, `OPTIONS ${path}`);
      const allowed = String(answer.headers["access-control-allow-methods"]).split(", ");
      t.ok(allowed.includes(declaration.method), `${declaration.method} ${path} is allowed`);
      t.match(answer.headers, {
        "access-control-allow-origin": "*",
        "access-control-allow-headers": /Authorization.*|Content-Type/,
      });
    }
  }
});

t.test("HEAD answers as GET does, without a body", async (t) => {
  for (const declaration of declarations.filter(({ method }) => method === "GET")) {
    const accessToken = allowedToken(declaration, samples);
    const [path = ""] = pathsOf(declaration).map((own) => fillPath(own, samples.parameters));
    const got = await rawRequest(server.url, { method: "GET", path, accessToken });
    const head = await rawRequest(server.url, { method: "HEAD", path, accessToken });
    t.equal(head.status, got.status, declaration.operationId);
    t.equal(head.text, "");
    t.equal(head.headers["content-type"], got.headers["content-type"]);
    t.equal(head.headers["access-control-allow-origin"], "*");
  }
});

const table = specEndpoints()?.filter(({ api }) => api === "client-server");
const withoutTable = table === undefined && "the specification's data is not at hand";

/** Each declared endpoint with its row in the specification's table, but for those that are our own. */
function* declaredRows(): Generator<[EndpointDeclaration, SpecEndpoint]> {
  for (const declaration of declarations) {
    const { operationId, method } = declaration;
    if (pages.has(operationId) || pathsOf(declaration).every(isUnspecified)) continue;
    // An empty state key may be left away with its slash, and so may other slashes at the end.
    const paths = pathsOf(declaration).flatMap((path) => [path, `${path}/`, `${path}/{stateKey}`]);
    const row = table?.find(
      (candidate) =>
        candidate.operationId === operationId &&
        candidate.method === method &&
        paths.includes(candidate.path),
    );
    if (!row) throw new Error(`the specification has no ${operationId} with ${method} ${paths[0]}`);
    yield [declaration, row];
  }
}

/** Pages that the specification has in its prose. */
const pages = new Set(["completeAuthFallback", "getAuthFallback", "getLoginFallback"]);
/** Administration, and what is not in the specification yet. */
const isUnspecified = (path: string) =>
  /^\/_(synapse|hearth)\/|^\/_matrix\/client\/(unstable\/|v4\/sync$|.*delayed_event)/.test(path);

/** Who proves an e-mail address without a token may set a new password; to end an account takes more. */
const tokenAlwaysNeeded = new Set(["deactivateAccount"]);

/** Anybody may look into this server's directory; who asks for that of another one has to say who they are. */
const tokenLookedAt = new Set(["getPublicRooms"]);

const accessByAuth: Readonly<Record<string, readonly string[]>> = {
  none: ["public", "optional-appservice"],
  appservice: ["appservice"],
};

/** Beyond what the specification opens to guests: clients join by this path whoever is signed in. */
const guestsBeyond = new Set(["joinRoom"]);

t.test("declarations agree with the specification's table", { skip: withoutTable }, async (t) => {
  for (const [{ operationId, access, guests = false, rateLimit }, row] of declaredRows()) {
    const isOptional =
      tokenLookedAt.has(operationId) ||
      (row.auth.includes("(optional)") && !tokenAlwaysNeeded.has(operationId));
    const needed = isOptional ? ["optional-user"] : (accessByAuth[row.auth] ?? ["user", "admin"]);
    t.ok(needed.includes(access), `${operationId}: ${access}, where the specification has ${row.auth}`);
    if (row.auth !== "none" && !isOptional) {
      const letsIn = row.guest === "y" || guestsBeyond.has(operationId);
      t.equal(guests, letsIn, `${operationId}: whether guests are let in`);
    }
    if (row.isRateLimited) t.not(rateLimit, "none", `${operationId} is limited`);
  }
});

/** What listed releases brought and this server does not have yet: it answers M_UNRECOGNIZED. */
const notYetServed = new Set(["getAuthMetadata"]);

t.test("getVersions: what a listed release brought is served", { skip: withoutTable }, async (t) => {
  const { json } = await rawRequest(server.url, { method: "GET", path: "/_matrix/client/versions" });
  const versions = json["versions"] as string[];
  const served = new Set(declarations.map(({ operationId }) => operationId));
  for (const { operationId, firstRelease } of table ?? []) {
    if (!versions.includes(firstRelease)) continue;
    t.ok(served.has(operationId) || notYetServed.has(operationId), `${operationId} of ${firstRelease}`);
  }
});
