import { type Errcode, MatrixError } from "../protocol/matrix-error.ts";
import { IdentityServerError } from "../services/contacts/identity-server-error.ts";
import { RemoteFileError } from "../services/media/remote-files.ts";
import { UnansweredQueryError } from "../appservices/existence-queries.ts";
import { StorageError } from "../storage/errors.ts";
import { Reply } from "./reply.ts";
import { InteractiveAuthRequired } from "../auth/interactive.ts";

const statusByErrcode: Partial<Record<Errcode, number>> = {
  "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION": 409,
  M_BAD_STATE: 403,
  M_BAD_STATUS: 502,
  M_CANNOT_LEAVE_SERVER_NOTICE_ROOM: 403,
  M_CONFLICT: 409,
  M_CONNECTION_FAILED: 502,
  M_CONNECTION_TIMEOUT: 504,
  M_CANNOT_OVERWRITE_MEDIA: 409,
  M_EXCLUSIVE: 400,
  M_FORBIDDEN: 403,
  M_GUEST_ACCESS_FORBIDDEN: 403,
  M_INVITE_BLOCKED: 403,
  M_LIMIT_EXCEEDED: 429,
  M_MISSING_TOKEN: 401,
  M_NOT_FOUND: 404,
  M_NOT_YET_UPLOADED: 504,
  M_THREEPID_DENIED: 403,
  M_TOO_LARGE: 413,
  M_UNAUTHORIZED: 401,
  M_UNKNOWN_TOKEN: 401,
  M_UNRECOGNIZED: 404,
  M_USER_DEACTIVATED: 403,
  M_USER_LOCKED: 401,
  M_USER_SUSPENDED: 403,
  M_WRONG_ROOM_KEYS_VERSION: 403,
  "ORG.MATRIX.MSC4155.M_INVITE_BLOCKED": 403,
};

/** An error as an answer, or `undefined` for one that nobody foresaw: that is a 500, and its cause is for the log. */
export function replyOfError(error: unknown): Reply | undefined {
  if (error instanceof MatrixError) return replyOfMatrixError(error);
  if (error instanceof InteractiveAuthRequired) return new Reply(401, error.body);
  if (error instanceof StorageError) return replyOfStorageError(error);
  // Application service API, "Querying".
  if (error instanceof UnansweredQueryError)
    return new Reply(408, { errcode: "M_UNKNOWN", error: error.message });
  // "The content is too large for the server to serve."
  if (error instanceof RemoteFileError && error.failure === "too-large") {
    return new Reply(502, { errcode: "M_TOO_LARGE", error: error.message });
  }
  if (error instanceof IdentityServerError) return new Reply(error.status, error.body);
  return undefined;
}

function replyOfMatrixError(error: MatrixError): Reply {
  const retryAfterMs = error.details["retry_after_ms"];
  const headers: Record<string, string> =
    typeof retryAfterMs === "number" ? { "Retry-After": String(Math.ceil(retryAfterMs / 1000)) } : {};
  return new Reply(
    statusByErrcode[error.errcode] ?? 400,
    { errcode: error.errcode, error: error.message, ...error.details },
    headers,
  );
}

function replyOfStorageError(error: StorageError): Reply | undefined {
  if (error.failure === "overloaded") {
    return new Reply(503, { errcode: "M_UNKNOWN", error: "The server is overloaded: try again in a moment" });
  }
  if (error.failure === "closed") {
    return new Reply(503, {
      errcode: "M_UNKNOWN",
      error: "The server is shutting down: try again in a moment",
    });
  }
  if (error.failure === "disk-full") {
    return new Reply(507, {
      errcode: "M_RESOURCE_LIMIT_EXCEEDED",
      error: "The server's disk is full",
      admin_contact: "",
    });
  }
  return undefined;
}
