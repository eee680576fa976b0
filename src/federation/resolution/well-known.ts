import type { IncomingHttpHeaders } from "node:http";
import { boundedCache } from "../../cache/bounded-cache.ts";
import { isJsonObject, type JsonValue } from "../../protocol/json.ts";
import { parseServerName, type ServerNameParts } from "../../protocol/server-name.ts";
import type { OutboundHttp, OutboundResponse } from "../../outbound/outbound-http.ts";
import { OutboundError } from "../../outbound/errors.ts";
import { type Clock, httpDateTs } from "../../telemetry/clock.ts";

/** A server to which another delegates. */
export interface Delegate {
  /** As the document has it. */
  readonly name: string;
  readonly parts: ServerNameParts;
}

interface Remembered {
  readonly delegate: Delegate | undefined;
  /** On the monotonic clock. */
  readonly fetchedMs: number;
  readonly untilMs: number;
  /** How often in a row there was no valid document. */
  readonly failures: number;
}

const cachedHosts = 20_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** "The recommended sensible default is 24 hours." */
const defaultLifetimeMs = 24 * hourMs;
/** "Servers should additionally impose a maximum cache time for responses: 48 hours is recommended." */
const maxLifetimeMs = 48 * hourMs;
/** Whoever forbids caching would be asked before each request. */
const minLifetimeMs = 5 * minuteMs;
/** "Errors are recommended to be cached for up to an hour, and servers are encouraged to exponentially back off". */
const firstErrorLifetimeMs = minuteMs;
const maxErrorLifetimeMs = hourMs;
/** A document that leads to where nobody answers is fetched anew when it is older than this. */
const doubtedAfterMs = 10 * minuteMs;
const timeoutMs = 10_000;
const maxBytes = 51_200;
const maxRedirects = 5;

/** Reads `/.well-known/matrix/server` of hosts, and remembers what it said (server-server API, "Server discovery"). */
export class WellKnownServers {
  readonly #http: OutboundHttp;
  readonly #clock: Clock;
  readonly #port: number;
  readonly #remembered = boundedCache<string, Remembered>(cachedHosts);
  readonly #underWay = new Map<string, Promise<Delegate | undefined>>();

  /** @param port that of HTTPS, unless a test says otherwise */
  constructor(http: OutboundHttp, clock: Clock, port = 443) {
    this.#http = http;
    this.#clock = clock;
    this.#port = port;
  }

  /** Whom a host delegates to; `undefined` when it has no valid document. */
  of(host: string): Promise<Delegate | undefined> {
    const known = this.#remembered.get(host);
    if (known && known.untilMs > this.#clock.monotonicMs()) return Promise.resolve(known.delegate);
    const underWay = this.#underWay.get(host) ?? this.#fetch(host, known);
    this.#underWay.set(host, underWay);
    return underWay.finally(() => this.#underWay.delete(host));
  }

  /** To be called when nobody answers where a host has led to. */
  doubt(host: string): void {
    const known = this.#remembered.peek(host);
    if (known && this.#clock.monotonicMs() - known.fetchedMs >= doubtedAfterMs) {
      this.#remembered.set(host, { ...known, untilMs: 0 });
    }
  }

  async #fetch(host: string, known: Remembered | undefined): Promise<Delegate | undefined> {
    const response = await this.#response(host);
    const fetchedMs = this.#clock.monotonicMs();
    const found = response && delegateIn(response);
    if (response && found) {
      const lifetimeMs = lifetimeOf(response.headers, this.#clock.nowMs());
      this.#remembered.set(host, {
        delegate: found,
        fetchedMs,
        untilMs: fetchedMs + lifetimeMs,
        failures: 0,
      });
      return found;
    }
    const failures = (known?.failures ?? 0) + 1;
    const lifetimeMs = Math.min(firstErrorLifetimeMs * 2 ** (failures - 1), maxErrorLifetimeMs);
    // What was valid a while ago is more likely to lead to the server than nothing.
    const isRecent = known?.delegate !== undefined && fetchedMs - known.fetchedMs < maxLifetimeMs;
    const delegate = isRecent ? known.delegate : undefined;
    this.#remembered.set(host, {
      delegate,
      fetchedMs: isRecent ? known.fetchedMs : fetchedMs,
      untilMs: fetchedMs + lifetimeMs,
      failures,
    });
    return delegate;
  }

  async #response(host: string): Promise<OutboundResponse | undefined> {
    const port = this.#port === 443 ? "" : `:${this.#port}`;
    const url = URL.parse(`https://${host}${port}/.well-known/matrix/server`);
    if (!url) return undefined;
    try {
      return await this.#http.request({
        method: "GET",
        url,
        headers: { Accept: "application/json" },
        headersForAll: true,
        timeoutMs,
        maxResponseBytes: maxBytes,
        maxRedirects,
        permits: ({ protocol }) => protocol === "https:",
      });
    } catch (error) {
      // "If the response is invalid …, skip to step 4": no answer is the commonest case of all.
      if (error instanceof OutboundError) return undefined;
      throw error;
    }
  }
}

/** "Servers parsing the response should assume that the body is JSON regardless of type." */
function delegateIn({ status, body }: OutboundResponse): Delegate | undefined {
  if (status !== 200) return undefined;
  const document = parsed(body.toString("utf8"));
  const name = isJsonObject(document) ? document["m.server"] : undefined;
  const parts = typeof name === "string" ? parseServerName(name) : undefined;
  if (typeof name !== "string" || !parts || !isUsablePort(parts.port)) return undefined;
  return { name, parts };
}

/** A server name may have a port that no connection can have. */
export function isUsablePort(port: number | undefined): boolean {
  return port === undefined || (port > 0 && port <= 65_535);
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** How long a document may be kept, by its headers. */
function lifetimeOf({ "cache-control": control, expires }: IncomingHttpHeaders, nowMs: number): number {
  const directives = new Map(
    (control ?? "").split(",").map((part): [string, string] => {
      const [name = "", value = ""] = part.trim().toLowerCase().split("=");
      return [name, value.replaceAll('"', "")];
    }),
  );
  const maxAgeS = directives.get("max-age");
  let lifetimeMs = defaultLifetimeMs;
  if (directives.has("no-store") || directives.has("no-cache")) lifetimeMs = 0;
  else if (maxAgeS !== undefined && /^\d{1,10}$/.test(maxAgeS)) lifetimeMs = Number(maxAgeS) * 1_000;
  // RFC 9111, section 5.3: what is no date, "especially including the value 0", is a time in the past.
  else if (expires !== undefined) lifetimeMs = (httpDateTs(expires) ?? nowMs) - nowMs;
  return Math.min(Math.max(lifetimeMs, minLifetimeMs), maxLifetimeMs);
}
