/** What the server has refused or could not do. */
export class ApiError extends Error {
  readonly status: number;
  readonly errcode: string;
  readonly isSoftLogout: boolean;

  constructor(status: number, body: { errcode?: string; error?: string; soft_logout?: boolean }) {
    super(body.error ?? `HTTP ${status}`);
    this.status = status;
    this.errcode = body.errcode ?? "M_UNKNOWN";
    this.isSoftLogout = body.soft_logout === true;
  }
}

export type Method = "GET" | "PUT" | "POST" | "DELETE";
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Call {
  readonly method?: Method;
  readonly query?: Query;
  readonly body?: object;
  readonly token?: string;
  readonly signal?: AbortSignal | undefined;
}

const timeoutMs = 60_000;

/** Joins the parts of a path, each of them percent-encoded. */
export function path(template: TemplateStringsArray, ...parts: string[]): string {
  return String.raw({ raw: template }, ...parts.map((part) => encodeURIComponent(part)));
}

/**
 * Asks this server, and nobody else.
 * @throws ApiError when the server refuses; TypeError when it cannot be reached
 */
export async function call(
  to: string,
  { method = "GET", query, body, token, signal }: Call,
): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const response = await fetch(to + queryText(query), {
    method,
    headers: {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(body && { "Content-Type": "application/json" }),
    },
    ...(body && { body: JSON.stringify(body) }),
    // No cookie tells the server who asks: another site cannot have a browser ask in an administrator's name.
    credentials: "omit",
    cache: "no-store",
    redirect: "error",
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  });
  if (response.ok) return response;
  throw new ApiError(response.status, await errorBody(response));
}

async function errorBody(response: Response): Promise<{ errcode?: string; error?: string }> {
  try {
    return (await response.json()) as { errcode?: string; error?: string };
  } catch {
    // A proxy may answer in words of its own: the status tells enough then.
    return {};
  }
}

function queryText(query: Query = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}
