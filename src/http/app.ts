import Koa, { type Context } from "koa";
import type { Logger } from "pino";
import { pathsOf } from "../api/endpoint.ts";
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
  readonly log: Logger;
}

/** The Koa application for one set of endpoints. */
export function createApp(options: AppOptions): Koa {
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
  app.use(async (koa) => {
    if (koa.method === "OPTIONS") await answerPreflight(koa);
    else await serve(koa, router, trailingSlashHint, options);
  });
  return app;
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
  const context = new RequestContext(
    nextRequestId(),
    koa.req,
    koa.res,
    koa.path,
    clientAddress(koa, options),
  );
  koa.state["context"] = context;
  if (koa.path.endsWith("/") && slash.test(koa.path)) koa.path = koa.path.slice(0, -1);
  try {
    const found = router.match(koa.method, koa.path);
    if (found) await found(koa, () => Promise.resolve());
    const result = (koa.state["result"] as object | undefined) ?? notServed(koa, router);
    if (result instanceof HandedOver) await handOver(koa, result);
    else await answer(koa, result);
  } catch (error) {
    const reply = replyOfError(error) ?? unforeseen(error, context, options.log);
    await answer(koa, reply);
  }
}

function clientAddress(koa: Context, { trustedProxies }: AppOptions): string {
  const forwardedFor = koa.req.headers["x-forwarded-for"];
  const peer = koa.req.socket.remoteAddress ?? "";
  return trustedProxies.clientAddress(peer, forwardedFor?.toString());
}

function notServed(koa: Context, router: EndpointRouter): Reply {
  return router.servesOtherMethod(koa.path)
    ? new Reply(405, { errcode: "M_UNRECOGNIZED", error: `${koa.method} is not served under this path` })
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
