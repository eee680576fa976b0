import { ApiError } from "../api/matrix-api.ts";
import type { Texts } from "../texts/texts-context.ts";

/** What people are told of a failure. */
export function wordsFor(error: unknown, { errors }: Texts): string {
  if (error instanceof ApiError) {
    if (error.errcode === "M_UNRECOGNIZED") return errors.unrecognised;
    return error.message;
  }
  if (error instanceof DOMException && error.name === "TimeoutError") return errors.timeout;
  // What fetch throws when there is no connection.
  if (error instanceof TypeError) return errors.unreachable;
  return String(error);
}
