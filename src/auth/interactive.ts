import { LRUCache } from "lru-cache";
import { encodeBase64Url } from "../protocol/base64.ts";
import { isJsonObject, type JsonObject } from "../protocol/json.ts";
import { type Errcode, MatrixError } from "../protocol/matrix-error.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { RandomBytes } from "../telemetry/random.ts";
import type { ClientInfo, Requester } from "./requester.ts";

/** A user-interactive authentication stage is still to be done: `body` is the 401 answer (client-server API, "User-interactive API"). */
export class InteractiveAuthRequired extends Error {
  readonly body: JsonObject;

  constructor(body: JsonObject) {
    super("user-interactive authentication is required");
    this.name = "InteractiveAuthRequired";
    this.body = body;
  }
}

/** What the parts of interactive authentication need to know of a request. */
export interface InteractiveRequest {
  readonly body: { readonly auth?: JsonObject };
  readonly requester: Requester | undefined;
  readonly context: ClientInfo & { readonly method: string; readonly path: string };
}

export interface StageFailure {
  readonly errcode: Errcode;
  readonly error: string;
}

/** One way to prove something, such as `m.login.password`. */
export interface Stage {
  readonly type: string;
  /** What a client has to know for it. */
  readonly params?: JsonObject;
  /** What is proved may be proved elsewhere, after the client has said by what: a mail is read when it is read. */
  readonly isAwaited?: boolean;
  /**
   * Judges what a client sent. Returns a failure that the client may mend by another attempt, or `undefined` when it passes.
   * @throws MatrixError when no other attempt could mend the request: M_FORBIDDEN for a stranger, M_LIMIT_EXCEEDED.
   */
  attempt(auth: JsonObject, request: InteractiveRequest): Promise<StageFailure | undefined>;
}

/** Lists of stages, each of which is enough when all its stages are done in order. */
export type Flows = readonly (readonly string[])[];

interface InteractiveSession {
  readonly id: string;
  /** What is being authorised: the answer for one request is no use for another. */
  readonly operation: string;
  readonly requester: Requester | undefined;
  /** What the client was told that it may do. */
  flows: Flows;
  readonly body: JsonObject;
  /** Stages that were passed, in order, with what the client sent for each. */
  readonly passed: Map<string, JsonObject>;
  /** What the client sent for stages that are awaited. */
  readonly awaited: Map<string, JsonObject>;
}

/** How a user can prove who they are. @throws MatrixError when they cannot, by a client. */
export type IdentityFlows = (requester: Requester, act: "ordinary" | "key-reset") => Promise<Flows>;

const byPassword: IdentityFlows = () => Promise.resolve([["m.login.password"]]);

/** What a client sent for the stages that it passed, by stage. */
export type Proof = ReadonlyMap<string, JsonObject>;

const sessionLifetimeMs = 60 * 60 * 1000;
/** Bodies are remembered, so their size counts. */
const maxSessionsBytes = 32 * 1024 * 1024;
const sessionIdBytes = 18;

/** User-interactive authentication (client-server API, "User-Interactive Authentication API"). Sessions are in memory. */
export class InteractiveAuth {
  readonly #stages: ReadonlyMap<string, Stage>;
  readonly #randomBytes: RandomBytes;
  readonly #sessions: LRUCache<string, InteractiveSession>;
  readonly #identityFlows: IdentityFlows;

  constructor(
    stages: readonly Stage[],
    clock: Clock,
    randomBytes: RandomBytes,
    identityFlows: IdentityFlows = byPassword,
  ) {
    this.#identityFlows = identityFlows;
    this.#stages = new Map(stages.map((stage) => [stage.type, stage]));
    this.#randomBytes = randomBytes;
    this.#sessions = new LRUCache({
      maxSize: maxSessionsBytes,
      sizeCalculation: ({ body }) => 500 + JSON.stringify(body).length,
      ttl: sessionLifetimeMs,
      ttlResolution: 0,
      perf: { now: () => clock.monotonicMs() },
    });
  }

  /**
   * The request's body with the keys that the client left away because it had sent them before in the same session.
   * What is there, and bodies without a session, are returned as they are.
   */
  completeBody(request: { readonly body: unknown } & Omit<InteractiveRequest, "body">): unknown {
    const { body } = request;
    if (!isJsonObject(body)) return body;
    const session = this.#find({ ...request, body });
    return session ? { ...session.body, ...body } : body;
  }

  /**
   * Demands that the client has done all stages of one of the flows.
   * @returns what it sent for them
   * @throws InteractiveAuthRequired while something is left to do; MatrixError M_FORBIDDEN, M_LIMIT_EXCEEDED.
   */
  async require(request: InteractiveRequest, flows: Flows): Promise<Proof> {
    const { auth } = request.body;
    const session = this.#find(request) ?? this.#newSession(request);
    if (!auth) throw this.#demand(session, flows);
    if (!isComplete(session, flows)) {
      const failure = await this.#attempt(session, auth, flows, request);
      if (failure || !isComplete(session, flows)) throw this.#demand(session, flows, failure);
    }
    return session.passed;
  }

  /**
   * Demands that whoever holds the access token proves to be its user: before what a stolen token must not be enough for.
   * Application services prove it by their token, and their users have no passwords.
   * @throws InteractiveAuthRequired until then; MatrixError M_FORBIDDEN for somebody else's password, M_LIMIT_EXCEEDED.
   */
  async confirmIdentity(request: InteractiveRequest & { readonly requester: Requester }): Promise<void> {
    if (request.requester.appserviceId !== undefined) return;
    await this.require(request, await this.#identityFlows(request.requester, "ordinary"));
  }

  /**
   * The same, before cross-signing keys are replaced: sessions of the OAuth 2.0 API can do this as well ("OAuth
   * authentication").
   */
  async confirmKeyReset(request: InteractiveRequest & { readonly requester: Requester }): Promise<void> {
    if (request.requester.appserviceId !== undefined) return;
    await this.require(request, await this.#identityFlows(request.requester, "key-reset"));
  }

  /**
   * Does a stage apart from the request that it is for: on a page of ours.
   * @throws MatrixError M_NOT_FOUND for a session that is not known (any more); what is wrong with `auth`.
   */
  async passStage(
    sessionId: string,
    auth: JsonObject,
    context: InteractiveRequest["context"],
  ): Promise<void> {
    const session = this.#sessions.get(sessionId);
    if (!session) throw new MatrixError("M_NOT_FOUND", "This has taken too long: start over in your client");
    const { requester, flows } = session;
    const failure = await this.#attempt(session, auth, flows, { body: {}, requester, context });
    if (failure) throw new MatrixError(failure.errcode, failure.error);
  }

  /** The path of the request that a session is for; `undefined` when it is not known (any more). */
  pathOf(sessionId: string): string | undefined {
    return this.#sessions.get(sessionId)?.operation.replace(/^\S+ /, "");
  }

  /** Whose session it is; `undefined` for one that is not known (any more), or is nobody's in particular. */
  ownerOf(sessionId: string): Requester | undefined {
    return this.#sessions.get(sessionId)?.requester;
  }

  /**
   * Notes a stage as done that was done elsewhere than in the client: at a provider of single sign-on.
   * @throws MatrixError M_NOT_FOUND for a session that is not known (any more), M_FORBIDDEN when it is not the next stage.
   */
  completeStage(sessionId: string, type: string): void {
    const session = this.#sessions.get(sessionId);
    if (!session) throw new MatrixError("M_NOT_FOUND", "This has taken too long: start over in your client");
    if (!isNext(session, session.flows, type)) {
      throw new MatrixError("M_FORBIDDEN", "This authentication type is not the next stage of any flow");
    }
    session.passed.set(type, { type });
  }

  /** The request was served: its session has done its duty. */
  end(body: unknown): void {
    const id = isJsonObject(body) && isJsonObject(body["auth"]) ? body["auth"]["session"] : undefined;
    if (typeof id === "string") this.#sessions.delete(id);
  }

  async #attempt(
    session: InteractiveSession,
    auth: JsonObject,
    flows: Flows,
    request: InteractiveRequest,
  ): Promise<StageFailure | undefined> {
    const { type } = auth;
    // With the session alone a client asks whether a stage was done in some other way.
    if (type === undefined) return this.#lookAgain(session, flows, request);
    const stage = typeof type === "string" && isNext(session, flows, type) && this.#stages.get(type);
    if (!stage) {
      return { errcode: "M_FORBIDDEN", error: "This authentication type is not the next stage of any flow" };
    }
    if (auth["session"] !== undefined && auth["session"] !== session.id) {
      return { errcode: "M_UNKNOWN", error: "This authentication session has expired: start over" };
    }
    const failure = await stage.attempt(auth, request);
    if (!failure) session.passed.set(stage.type, auth);
    else if (stage.isAwaited) session.awaited.set(stage.type, auth);
    return failure;
  }

  /** "An email confirmation may be completed when the user clicks on the link": the client need not repeat what it sent. */
  async #lookAgain(
    session: InteractiveSession,
    flows: Flows,
    request: InteractiveRequest,
  ): Promise<undefined> {
    for (const [type, auth] of session.awaited) {
      const stage = isNext(session, flows, type) && this.#stages.get(type);
      if (stage && (await stage.attempt(auth, request)) === undefined) session.passed.set(type, auth);
    }
  }

  /** The session that a request belongs to, if it belongs to the same operation and user as when it began. */
  #find({ body, requester, context }: InteractiveRequest): InteractiveSession | undefined {
    const id = isJsonObject(body.auth) ? body.auth["session"] : undefined;
    const session = typeof id === "string" ? this.#sessions.get(id) : undefined;
    const isSame =
      session?.operation === operationOf(context) && session.requester?.userNid === requester?.userNid;
    return isSame ? session : undefined;
  }

  #newSession({
    body: { auth: _auth, ...body },
    requester,
    context,
  }: InteractiveRequest): InteractiveSession {
    return {
      id: encodeBase64Url(this.#randomBytes(sessionIdBytes)),
      operation: operationOf(context),
      requester,
      flows: [],
      body,
      passed: new Map(),
      awaited: new Map(),
    };
  }

  #paramsOf(flows: Flows): JsonObject {
    const params: JsonObject = {};
    for (const type of new Set(flows.flat())) {
      const own = this.#stages.get(type)?.params;
      if (own) params[type] = own;
    }
    return params;
  }

  #demand(session: InteractiveSession, flows: Flows, failure?: StageFailure): InteractiveAuthRequired {
    session.flows = flows;
    this.#sessions.set(session.id, session);
    return new InteractiveAuthRequired({
      ...failure,
      ...(session.passed.size > 0 && { completed: [...session.passed.keys()] }),
      flows: flows.map((stages) => ({ stages: [...stages] })),
      params: this.#paramsOf(flows),
      session: session.id,
    });
  }
}

function operationOf({ method, path }: InteractiveRequest["context"]): string {
  return `${method} ${path}`;
}

function isComplete({ passed }: InteractiveSession, flows: Flows): boolean {
  return flows.some((stages) => stages.every((stage) => passed.has(stage)));
}

/** Whether all stages before this one are done in some flow that has it. */
function isNext({ passed }: InteractiveSession, flows: Flows, type: string): boolean {
  return flows.some((stages) => stages.find((stage) => !passed.has(stage)) === type);
}
