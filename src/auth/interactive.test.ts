import t from "tap";
import type { UserId } from "../protocol/identifiers.ts";
import type { JsonObject } from "../protocol/json.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import {
  InteractiveAuth,
  InteractiveAuthRequired,
  type InteractiveRequest,
  type Stage,
} from "./interactive.ts";
import type { Requester } from "./requester.ts";

/** Passes when the client sends `ok: true`. */
const stage = (type: string): Stage => ({
  type,
  attempt: async ({ ok }) => (ok === true ? undefined : { errcode: "M_FORBIDDEN", error: "Not ok" }),
});
const flows = [["a", "b"], ["a", "c"], ["d"]];

function setUp() {
  const clock = new ManualClock();
  let made = 0;
  const randomBytes = (sizeBytes: number) => Buffer.alloc(sizeBytes, ++made);
  const interactive = new InteractiveAuth(["a", "b", "c", "d"].map(stage), clock, randomBytes);
  return { clock, interactive };
}

function requester(userNid: number): Requester {
  const userId = "@alice:hearth.test" as UserId;
  const flags = { isGuest: false, isAdmin: false, isLocked: false, isSuspended: false };
  return { userNid, userId, deviceId: "A", tokenHash: Buffer.alloc(32), ...flags };
}

function request(
  auth: JsonObject | undefined,
  changes: Partial<InteractiveRequest> = {},
): InteractiveRequest {
  return {
    body: auth ? { auth } : {},
    requester: undefined,
    context: { method: "POST", path: "/x", address: "192.0.2.1", userAgent: "test" },
    ...changes,
  };
}

/** The 401 answer to a request. */
async function demand(interactive: InteractiveAuth, asked: InteractiveRequest): Promise<JsonObject> {
  try {
    await interactive.require(asked, flows);
  } catch (error) {
    if (error instanceof InteractiveAuthRequired) return error.body;
    throw error;
  }
  throw new Error("nothing was demanded");
}

function sessionIn({ session }: JsonObject): string {
  if (typeof session !== "string") throw new Error("the answer names no session");
  return session;
}

t.test("stages in order, until a flow is complete", async (t) => {
  const { interactive } = setUp();
  const first = await demand(interactive, request(undefined));
  t.strictSame(first, {
    flows: [{ stages: ["a", "b"] }, { stages: ["a", "c"] }, { stages: ["d"] }],
    params: {},
    session: sessionIn(first),
  });
  const session = sessionIn(first);
  t.match(await demand(interactive, request({ type: "c", session, ok: true })), {
    errcode: "M_FORBIDDEN",
    session,
  });
  const failed = await demand(interactive, request({ type: "a", session }));
  t.match(failed, { errcode: "M_FORBIDDEN", error: "Not ok", session });
  t.notOk("completed" in failed);
  const second = await demand(interactive, request({ type: "a", session, ok: true }));
  t.match(second, { completed: ["a"], session });
  t.notOk("errcode" in second);
  t.match(await demand(interactive, request({ session })), { completed: ["a"] });
  t.match(await demand(interactive, request({ type: "a", session, ok: true })), {
    errcode: String,
    completed: ["a"],
  });
  const proof = await interactive.require(request({ type: "c", session, ok: true, more: 1 }), flows);
  t.strictSame([...proof.keys()], ["a", "c"]);
  t.match(proof.get("c"), { more: 1 });
});

t.test("a flow of one stage needs no session", async (t) => {
  const { interactive } = setUp();
  const proof = await interactive.require(request({ type: "d", ok: true }), flows);
  t.strictSame([...proof.keys()], ["d"]);
});

t.test("a complete session serves until the request has succeeded", async (t) => {
  const { interactive } = setUp();
  const session = sessionIn(await demand(interactive, request(undefined)));
  const asked = request({ type: "d", session, ok: true });
  await interactive.require(asked, flows);
  const again = await interactive.require(request({ session }), flows);
  t.ok(again.has("d"), "the client may mend something else and try again");
  interactive.end(asked.body);
  t.not((await demand(interactive, request({ session })))["session"], session);
});

t.test("a session is good for one operation of one user", async (t) => {
  const { interactive } = setUp();
  const context = request(undefined).context;
  const alice = { requester: requester(1) };
  const session = sessionIn(await demand(interactive, request(undefined, alice)));
  const auth = { type: "d", session, ok: true };
  const others: Partial<InteractiveRequest>[] = [
    { requester: requester(2) },
    { requester: undefined },
    { ...alice, context: { ...context, path: "/y" } },
    { ...alice, context: { ...context, method: "DELETE" } },
  ];
  for (const other of others) {
    const answer = await demand(interactive, request(auth, other));
    t.not(answer["session"], session);
    t.match(answer, { errcode: "M_UNKNOWN" });
  }
  t.ok(await interactive.require(request(auth, alice), flows));
});

t.test("an old session is told to start over with the new one", async (t) => {
  const { interactive, clock } = setUp();
  const session = sessionIn(await demand(interactive, request(undefined)));
  clock.advance(60 * 60 * 1000 + 1);
  const answer = await demand(interactive, request({ type: "d", session, ok: true }));
  t.match(answer, { errcode: "M_UNKNOWN", flows: Array });
  t.not(answer["session"], session);
  t.ok(await interactive.require(request({ type: "d", session: sessionIn(answer), ok: true }), flows));
});

t.test("a session remembers what its client had sent", async (t) => {
  const { interactive } = setUp();
  const { context } = request(undefined);
  const complete = (body: unknown) => interactive.completeBody({ body, requester: undefined, context });
  const body = { name: "alice", password: "secret", auth: undefined as never };
  const session = sessionIn(await demand(interactive, request(undefined, { body })));
  t.strictSame(complete({ auth: { session } }), { name: "alice", password: "secret", auth: { session } });
  t.strictSame(complete({ name: "bob", auth: { session } }), {
    name: "bob",
    password: "secret",
    auth: { session },
  });
  t.strictSame(complete({ auth: { session: "other" } }), { auth: { session: "other" } });
  for (const odd of [{}, null, [], "text", { auth: 5 }, { auth: { session: 5 } }])
    t.equal(complete(odd), odd);
});

t.test("a stage done on a page counts for the request that it is for", async (t) => {
  const { interactive } = setUp();
  const alice = { requester: requester(1) };
  const session = sessionIn(await demand(interactive, request(undefined, alice)));
  const page = { ...request(undefined).context, method: "POST", path: "/page" };
  await t.rejects(interactive.passStage(session, { type: "b", ok: true }, page), { message: /next stage/ });
  await t.rejects(interactive.passStage(session, { type: "d" }, page), { message: "Not ok" });
  t.notOk("completed" in (await demand(interactive, request({ session }, alice))));
  await interactive.passStage(session, { type: "d", ok: true }, page);
  t.ok((await interactive.require(request({ session }, alice), flows)).has("d"));
  await t.rejects(interactive.passStage("made up", { type: "d", ok: true }, page), { message: /start over/ });
});
