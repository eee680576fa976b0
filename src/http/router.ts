import { Router } from "@koa/router";
import { type EndpointDeclaration, type HttpMethod, pathsOf } from "../api/endpoint.ts";
import type { Serve } from "./pipeline.ts";

/** What is served under a path. */
interface Served {
  readonly operationId: string;
  readonly serve: Serve;
}

/** What serves a request, and the parameters in its path, decoded. */
export interface Route extends Served {
  readonly params: Readonly<Record<string, string>>;
}

interface Bucket {
  readonly router: Router;
  /** By the path as the router knows it. */
  readonly served: Map<string | RegExp, Served>;
}

const methods: readonly HttpMethod[] = ["GET", "PUT", "POST", "DELETE"];

/**
 * Finds what serves a request without trying every endpoint: routers are kept by method, number of segments and the
 * segments that come first, so each of them holds a handful of paths.
 */
export class EndpointRouter {
  readonly #buckets = new Map<string, Bucket>();

  add(declaration: EndpointDeclaration, serve: Serve): void {
    for (const path of pathsOf(declaration)) {
      this.#register(declaration.method, path, { operationId: declaration.operationId, serve });
    }
  }

  /** @param path still percent-encoded */
  match(method: string, path: string): Route | undefined {
    const known = method === "HEAD" ? "GET" : method;
    const bucket = this.#buckets.get(bucketOf(known, path));
    // The router only matches: what it would do to run a list of middleware takes as long as a simple answer.
    const [layer] = bucket?.router.match(path, known).pathAndMethod ?? [];
    const served = layer && bucket?.served.get(layer.path);
    if (!served) return undefined;
    const { operationId, serve } = served;
    return { operationId, serve, params: layer.params(path, layer.captures(path)) };
  }

  /** Whether another method would be served under this path: the difference between 404 and 405. */
  servesOtherMethod(path: string): boolean {
    return methods.some((method) => {
      const bucket = this.#buckets.get(bucketOf(method, path));
      return bucket?.router.match(path, method).route === true;
    });
  }

  #register(method: HttpMethod, path: string, served: Served): void {
    const key = bucketOf(method, path);
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      bucket = { router: new Router({ strict: true, sensitive: true }), served: new Map() };
      this.#buckets.set(key, bucket);
    }
    const pattern = path.replaceAll(/\{(\w+)\}/g, ":$1");
    bucket.router.register(pattern, [method], []);
    bucket.served.set(pattern, served);
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
