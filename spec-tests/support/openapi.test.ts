import { AssertionError } from "node:assert";
import t from "tap";
import { ApiDescription, assertMatchesSpec, clientServerApi } from "./openapi.ts";

const description = new ApiDescription({
  paths: {
    "/thing": {
      parameters: [],
      get: {
        operationId: "getThing",
        responses: {
          200: { content: { "application/json": { schema: { $ref: "#/components/schemas/Thing" } } } },
          304: { description: "nothing new" },
          400: { content: { "application/json": { schema: { required: ["reason"], type: "object" } } } },
        },
      },
    },
  },
  components: {
    schemas: {
      Thing: {
        type: "object",
        required: ["owner"],
        properties: { owner: { $ref: "#/components/schemas/Owner" } },
      },
      Owner: { type: ["string", "null"], format: "mx-user-id" },
    },
  },
});

function problemOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof AssertionError) return error.message;
    throw error;
  }
}

t.test("an answer is held to the schema of its status", async (t) => {
  const problem = (status: number, body: unknown) =>
    problemOf(() => description.assertResponse("getThing", status, body));
  t.equal(problem(200, { owner: null }), undefined);
  t.match(problem(200, {}), /getThing answered 200 .*owner/);
  t.match(problem(200, { owner: 1 }), /\/owner must be/);
  t.match(problem(200, []), /must be object/);
  t.equal(problem(400, { reason: 1 }), undefined);
  t.match(problem(400, { errcode: "M_UNKNOWN", error: "" }), /reason/);
  t.equal(problem(304, {}), undefined, "a status without JSON has no body to look at");
});

t.test("a status that the operation does not list", async (t) => {
  const problem = (status: number, body: unknown) =>
    problemOf(() => description.assertResponse("getThing", status, body));
  t.equal(problem(401, { errcode: "M_UNKNOWN_TOKEN", error: "Who?", soft_logout: true }), undefined);
  t.match(problem(401, { error: "Who?" }), /errcode/);
  t.match(problem(500, {}), /errcode/);
  t.match(problem(201, { owner: null }), /no status 201/);
});

t.test("an operation that the specification lacks", async (t) => {
  t.match(
    problemOf(() => description.assertResponse("getThings", 200, {})),
    /no operation getThings/,
  );
});

t.test("the specification's own document", { skip: clientServerApi === undefined }, async (t) => {
  t.ok((clientServerApi?.operationIds.length ?? 0) > 150);
  const push = {
    rule_id: "id",
    default: false,
    enabled: true,
    actions: ["notify", { set_tweak: "highlight" }],
  };
  t.equal(
    problemOf(() => assertMatchesSpec("getPushRules", 200, { global: { override: [push] } })),
    undefined,
  );
  t.match(
    problemOf(() =>
      assertMatchesSpec("getPushRules", 200, { global: { override: [{ ...push, rule_id: 1 }] } }),
    ),
    /\/global\/override\/0\/rule_id/,
  );
  t.match(
    problemOf(() => assertMatchesSpec("createRoom", 200, { room_id: "no room" })),
    /\/room_id/,
    "formats count",
  );
  t.equal(
    problemOf(() => assertMatchesSpec("createRoom", 200, { room_id: "!room" })),
    undefined,
  );
  t.match(
    problemOf(() => assertMatchesSpec("whoami", 200, {})),
    /no operation/,
  );
});
