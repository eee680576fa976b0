import type { RawAnswer } from "./raw-request.ts";

/** What an answer may be expected to be. */
export interface ExpectedAnswer {
  readonly status?: number;
  readonly errcode?: string | readonly string[];
  /** It refuses: any 4xx. */
  readonly isRefused?: boolean;
  /** Some endpoint has taken the request. */
  readonly isServed?: boolean;
}

/**
 * What is wrong with an answer, whatever was asked: a failure of the server, no CORS headers, an error that is no standard
 * error response (client-server API, "Standard error response", "Web Browser Clients"); and what is not as expected.
 */
export function faultsOf(answer: RawAnswer, expected: ExpectedAnswer = {}): string[] {
  const { status, headers, json } = answer;
  const faults: string[] = [];
  // What was announced may not have been uploaded yet: that is a 504 (client-server API, "Content repository").
  const isAwaited = status === 504 && json["errcode"] === "M_NOT_YET_UPLOADED";
  // It is another server that has been asked for, and that there is not.
  const isElsewhere = status === 502 && json["errcode"] === "M_CONNECTION_FAILED";
  if (status >= 500 && !isAwaited && !isElsewhere) faults.push("is a failure of the server");
  if (headers["access-control-allow-origin"] !== "*") faults.push("has no CORS headers");
  if (status >= 400 && !isStandardError(answer)) faults.push("is no standard error");
  if (expected.status !== undefined && status !== expected.status) faults.push(`is not ${expected.status}`);
  if (expected.isRefused && (status < 400 || status >= 500)) faults.push("is no refusal");
  if (expected.isServed && json["errcode"] === "M_UNRECOGNIZED") faults.push("is not served");
  const errcodes = [expected.errcode ?? []].flat();
  if (errcodes.length > 0 && !errcodes.includes(String(json["errcode"]))) {
    faults.push(`is not ${errcodes.join(" or ")}`);
  }
  return faults;
}

function isStandardError({ status, headers, json, text }: RawAnswer): boolean {
  // What people see in a browser says it in words.
  const isPage = String(headers["content-type"]).startsWith("text/html");
  if (isPage) return text.includes('role="alert"');
  const isJson = String(headers["content-type"]).startsWith("application/json");
  // User-interactive authentication has an answer of its own.
  if (status === 401 && Array.isArray(json["flows"])) return isJson && typeof json["session"] === "string";
  const { errcode, error } = json;
  return (
    isJson &&
    typeof errcode === "string" &&
    /^[A-Z][A-Z0-9_.]+$/.test(errcode) &&
    typeof error === "string" &&
    error.length > 5
  );
}
