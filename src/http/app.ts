import type { RequestListener } from "node:http";
import Koa, { type Context } from "koa";
import type { Logger } from "pino";
import { pathsOf } from "../api/endpoint.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { EndedRequest, Observed } from "../telemetry/observations.ts";
import { answer, answerPreflight, handOver } from "./answer.ts";
import type { TrustedProxies } from "./client-address.ts";
import { replyOfError } from "./errors.ts";
import { type BoundEndpoint, pipeline, type PipelineOptions } from "./pipeline.ts";
import { HandedOver, Reply } from "./reply.ts";
import { RequestContext } from "./request.ts";

import { EndpointRouter } from "./router.ts";

export interface AppOptions extends PipelineOptions {
  readonly endpoints: readonly BoundEndpoint[];
  readonly trustedProxies: TrustedProxies;
  readonly observed: Observed<EndedRequest>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Serves one set of endpoints. The application's own callback is not used: it watches each response for what is dealt with
 * here, and chains middleware, of which there is none.
 */
export function createApp(options: AppOptions): RequestListener {
  const router = new EndpointRouter();
  for (const endpoint of options.endpoints) router.add(endpoint.declaration, pipeline(endpoint, options));
  const withSlash = new Set(
    options.endpoints
      .filter((bound) => bound.declaration.trailingSlash)
      .flatMap((bound) => pathsOf(bound.declaration)),
  );
  const trailingSlashHint = new RegExp([...withSlash].map(pathPattern).join("|") || "$^");
  const app = new Koa();
  app.on("error", (error: unknown) => options.log.debug({ err: error }, "connection error"));
  return (incoming, response) => {
    const koa = app.createContext(incoming, response);
    const served =
      koa.method === "OPTIONS" ? answerPreflight(koa) : serve(koa, router, trailingSlashHint, options);
    served.catch((error: Error) => koa.onerror(error));
  };
}

let requestCount = 0;

function nextRequestId(): string {
  requestCount += 1;
  return requestCount.toString(36);
}

function pathPattern(path: string): string {
  return `^${path.replaceAll(/\{\w+\}/g, "[^/]+")}/$`;
}

async function serve(
  koa: Context,
  router: EndpointRouter,
  slash: RegExp,
  options: AppOptions,
): Promise<void> {
  const asked = koa.path;
  const path = asked.endsWith("/") && slash.test(asked) ? asked.slice(0, -1) : asked;
  const context = new RequestContext(nextRequestId(), koa.req, koa.res, path, clientAddress(koa, options));
  const startMs = options.observed.isFollowed ? options.clock.monotonicMs() : 0;
  let operationId = "unknown";
  try {
    const route = router.match(context.method, path);
    if (route) operationId = route.operationId;
    const result = route ? await route.serve(context, route.params) : notServed(context, router);
    if (result instanceof HandedOver) await handOver(koa, result);
    else await answer(koa, result);
  } catch (error) {
    const reply = replyOfError(error) ?? unforeseen(error, context, options.log);
    await answer(koa, reply);
  }
  if (options.observed.isFollowed) observe(context, operationId, startMs, options);
}

function observe(
  { id: requestId, method, path, search, response }: RequestContext,
  operationId: string,
  startMs: number,
  { observed, clock }: AppOptions,
): void {
  const durationMs = clock.monotonicMs() - startMs;
  observed.tell({ requestId, operationId, method, path, search, status: response.statusCode, durationMs });
}

function clientAddress(koa: Context, { trustedProxies }: AppOptions): string {
  const forwardedFor = koa.req.headers["x-forwarded-for"];
  const peer = koa.req.socket.remoteAddress ?? "";
  return trustedProxies.clientAddress(peer, forwardedFor?.toString());
}

function notServed({ method, path }: RequestContext, router: EndpointRouter): Reply {
  return router.servesOtherMethod(path)
    ? new Reply(405, { errcode: "M_UNRECOGNIZED", error: `${method} is not served under this path` })
    : new Reply(404, { errcode: "M_UNRECOGNIZED", error: "This server does not know this endpoint" });
}

function unforeseen(error: unknown, context: RequestContext, log: Logger): Reply {
  log.error(
    { err: error, requestId: context.id, method: context.method, path: context.path },
    "request failed",
  );
  return new Reply(500, {
    errcode: "M_UNKNOWN",
    error: `Internal error; the log has it under request ${context.id}`,
  });
}
