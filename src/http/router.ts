import { Router } from "@koa/router";
import type { Middleware } from "koa";
import { type EndpointDeclaration, type HttpMethod, pathsOf } from "../api/endpoint.ts";

interface Bucket {
  readonly router: Router;
  readonly dispatch: Middleware;
}

const methods: readonly HttpMethod[] = ["GET", "PUT", "POST", "DELETE"];

/**
 * Finds the router for a request without trying every endpoint: routers are kept by method, number of segments and
 * the segments that come first, so each of them holds a handful of paths.
 */
export class EndpointRouter {
  readonly #buckets = new Map<string, Bucket>();

  add(declaration: EndpointDeclaration, middleware: Middleware): void {
    for (const path of pathsOf(declaration)) {
      this.#register(declaration.method, path, middleware);
    }
  }

  /** What may serve this request. `path` is still percent-encoded. */
  match(method: string, path: string): Middleware | undefined {
    return this.#buckets.get(bucketOf(method === "HEAD" ? "GET" : method, path))?.dispatch;
  }

  /** Whether another method would be served under this path: the difference between 404 and 405. */
  servesOtherMethod(path: string): boolean {
    return methods.some((method) => {
      const bucket = this.#buckets.get(bucketOf(method, path));
      return bucket?.router.match(path, method).route === true;
    });
  }

  #register(method: HttpMethod, path: string, middleware: Middleware): void {
    const key = bucketOf(method, path);
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      const router = new Router({ strict: true, sensitive: true });
      bucket = { router, dispatch: router.routes() as Middleware };
      this.#buckets.set(key, bucket);
    }
    bucket.router.register(path.replaceAll(/\{(\w+)\}/g, ":$1"), [method], [middleware]);
  }
}

/**
 * Segments 3 and 4 ("v3", "rooms") tell most endpoints apart, the first two those under paths of our own ("account",
 * "authorize"); none of them is ever a parameter.
 */
function bucketOf(method: string, path: string): string {
  const segments = path.split("/");
  const first = /^[_.]/.test(segments[1] ?? "") ? 3 : 1;
  return `${method} ${segments.length} ${segments[first] ?? ""} ${segments[first + 1] ?? ""}`;
}
