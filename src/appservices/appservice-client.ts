import { isJsonObject, type JsonValue } from "../protocol/json.ts";
import { OutboundError } from "../outbound/errors.ts";
import type { OutboundHttp, OutboundResponse } from "../outbound/outbound-http.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Appservice } from "./registration.ts";

/** A request to an application service. */
export interface AppserviceRequest {
  readonly method: "GET" | "POST" | "PUT";
  /** From `/_matrix` on, percent-encoded. */
  readonly path: string;
  /** The same of before paths had versions; absent for what is newer. */
  readonly legacyPath?: string;
  readonly query?: URLSearchParams;
  /** JSON. */
  readonly body?: string;
  readonly timeoutMs: number;
}

/** What an application service has answered, whatever its status. */
export interface AppserviceAnswer {
  readonly status: number;
  readonly text: string;
}

/** An application service does not do what it is asked for. Its message is for the log and for administrators. */
export class AppserviceError extends Error {
  override readonly name = "AppserviceError";
}

const maxResponseBytes = 1024 * 1024;
/** "Homeservers should periodically try again for the newer endpoints because the application service may have been updated." */
const legacyForMs = 60 * 60 * 1000;
/** "An HTTP status code that does not indicate success (i.e.: 404, 500, 501, etc)." */
const statusesOfOldOnes: readonly number[] = [404, 405, 500, 501];
const statusesOfRefusal: readonly number[] = [401, 403];

/** Talks to one application service, in the way that it understands: the specification's, or that of before. */
export class AppserviceClient {
  readonly appservice: Appservice;
  readonly #url: string;
  readonly #http: Pick<OutboundHttp, "request">;
  readonly #clock: Clock;
  readonly #whenAnswering: (() => void)[] = [];
  #legacyPathsUntilMs = -Infinity;
  #legacyTokenUntilMs = -Infinity;

  /** @param url of the registration */
  constructor(appservice: Appservice, url: string, http: Pick<OutboundHttp, "request">, clock: Clock) {
    this.appservice = appservice;
    this.#url = url;
    this.#http = http;
    this.#clock = clock;
  }

  /** Calls back whenever the application service has done what it was asked for: it can be reached. */
  onAnswer(callback: () => void): void {
    this.#whenAnswering.push(callback);
  }

  /** @throws OutboundError when there is no answer */
  async request(request: AppserviceRequest, signal?: AbortSignal): Promise<AppserviceAnswer> {
    const answer = await this.#byEitherPath(request, signal);
    if (isSuccess(answer)) for (const callback of this.#whenAnswering) callback();
    return answer;
  }

  async #byEitherPath(
    request: AppserviceRequest,
    signal: AbortSignal | undefined,
  ): Promise<AppserviceAnswer> {
    const { path, legacyPath } = request;
    if (legacyPath === undefined) return this.#byEitherToken(request, path, signal);
    if (this.#legacyPathsUntilMs > this.#clock.monotonicMs()) {
      const answer = await this.#byEitherToken(request, legacyPath, signal);
      if (!isFromUnknownPath(answer)) return answer;
      this.#legacyPathsUntilMs = -Infinity;
    }
    const answer = await this.#byEitherToken(request, path, signal);
    if (!isFromUnknownPath(answer)) return answer;
    const legacyAnswer = await this.#byEitherToken(request, legacyPath, signal);
    // An answer that is no better was no matter of the path.
    if (!isSuccess(legacyAnswer)) return answer;
    this.#legacyPathsUntilMs = this.#clock.monotonicMs() + legacyForMs;
    return legacyAnswer;
  }

  /**
   * "Homeservers MUST include an `Authorization` header"; application services of before release 1.4 look for the token in
   * the query. It gets into logs there, so that it is put there for those only who refuse the header.
   */
  async #byEitherToken(
    request: AppserviceRequest,
    path: string,
    signal: AbortSignal | undefined,
  ): Promise<AppserviceAnswer> {
    const isLegacy = this.#legacyTokenUntilMs > this.#clock.monotonicMs();
    const answer = await this.#send(request, path, isLegacy, signal);
    if (isLegacy || !statusesOfRefusal.includes(answer.status)) return answer;
    const legacyAnswer = await this.#send(request, path, true, signal);
    if (statusesOfRefusal.includes(legacyAnswer.status)) return answer;
    this.#legacyTokenUntilMs = this.#clock.monotonicMs() + legacyForMs;
    return legacyAnswer;
  }

  async #send(
    { method, query, body, timeoutMs }: AppserviceRequest,
    path: string,
    withLegacyToken: boolean,
    signal: AbortSignal | undefined,
  ): Promise<AppserviceAnswer> {
    const { hsToken } = this.appservice.registration;
    const url = new URL(this.#url + path);
    if (query) url.search = query.toString();
    if (withLegacyToken) url.searchParams.set("access_token", hsToken);
    const response: OutboundResponse = await this.#http.request({
      method,
      url,
      headers: {
        Authorization: `Bearer ${hsToken}`,
        ...(body !== undefined && { "Content-Type": "application/json" }),
      },
      ...(body !== undefined && { body }),
      timeoutMs,
      maxResponseBytes,
      ...(signal && { signal }),
    });
    return { status: response.status, text: response.body.toString() };
  }
}

export function isSuccess({ status }: AppserviceAnswer): boolean {
  return status >= 200 && status <= 299;
}

/** An answer's JSON; `undefined` for what is none. */
export function jsonOf({ text }: AppserviceAnswer): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** An answer in Matrix's own words is one to the question, unless they say that the path is not known. */
function isFromUnknownPath(answer: AppserviceAnswer): boolean {
  if (!statusesOfOldOnes.includes(answer.status)) return false;
  const body = jsonOf(answer);
  const errcode = isJsonObject(body) ? body["errcode"] : undefined;
  return errcode === undefined || errcode === "M_UNRECOGNIZED" || errcode === "M_UNKNOWN";
}

/** Whether it is the application service's fault that a request came to nothing, or that of the network. */
export function isForeignFault(error: unknown): error is OutboundError | AppserviceError {
  return error instanceof OutboundError || error instanceof AppserviceError;
}

/** Why a request came to nothing, for administrators: without what the answer says, which may be anything. */
export function reasonOf(error: unknown): string {
  return isForeignFault(error) ? error.message : "an internal error, which the log has";
}
