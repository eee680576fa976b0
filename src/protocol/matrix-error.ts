import type { JsonObject } from "./json.ts";

/** Error codes of the specification ("Standard error response", and the modules' own). */
export type Errcode =
  | "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION"
  | "IO.ELEMENT.MSC4306.M_NOT_IN_THREAD"
  | "M_BAD_ALIAS"
  | "M_BAD_JSON"
  | "M_BAD_STATE"
  | "M_BAD_STATUS"
  | "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM"
  | "M_CANNOT_OVERWRITE_MEDIA"
  | "M_CAPTCHA_INVALID"
  | "M_CAPTCHA_NEEDED"
  | "M_CONFLICT"
  | "M_CONNECTION_FAILED"
  | "M_CONNECTION_TIMEOUT"
  | "M_DUPLICATE_ANNOTATION"
  | "M_EXCLUSIVE"
  | "M_FORBIDDEN"
  | "M_GUEST_ACCESS_FORBIDDEN"
  | "M_INCOMPATIBLE_ROOM_VERSION"
  | "M_INVALID_PARAM"
  | "M_INVALID_ROOM_STATE"
  | "M_INVALID_SIGNATURE"
  | "M_INVALID_USERNAME"
  | "M_INVITE_BLOCKED"
  | "M_KEY_TOO_LARGE"
  | "M_LIMIT_EXCEEDED"
  | "M_MISSING_PARAM"
  | "M_MISSING_TOKEN"
  | "M_NOT_FOUND"
  | "M_NOT_JSON"
  | "M_NOT_YET_UPLOADED"
  | "M_PROFILE_TOO_LARGE"
  | "M_RESOURCE_LIMIT_EXCEEDED"
  | "M_ROOM_IN_USE"
  | "M_SERVER_NOT_TRUSTED"
  | "M_SESSION_EXPIRED"
  | "M_THREEPID_AUTH_FAILED"
  | "M_THREEPID_DENIED"
  | "M_THREEPID_IN_USE"
  | "M_THREEPID_MEDIUM_NOT_SUPPORTED"
  | "M_THREEPID_NOT_FOUND"
  | "M_TOKEN_INCORRECT"
  | "M_TOO_LARGE"
  | "M_UNABLE_TO_AUTHORISE_JOIN"
  | "M_UNABLE_TO_GRANT_JOIN"
  | "M_UNAUTHORIZED"
  | "M_UNKNOWN"
  | "M_UNKNOWN_DEVICE"
  | "M_UNKNOWN_POS"
  | "M_UNKNOWN_TOKEN"
  | "M_UNRECOGNIZED"
  | "M_UNSUPPORTED_ROOM_VERSION"
  | "M_URL_NOT_SET"
  | "M_USER_DEACTIVATED"
  | "M_USER_IN_USE"
  | "M_USER_LOCKED"
  | "M_USER_SUSPENDED"
  | "M_WEAK_PASSWORD"
  | "M_WRONG_ROOM_KEYS_VERSION"
  | "ORG.MATRIX.MSC4155.M_INVITE_BLOCKED";

/**
 * A request that cannot be served, in the specification's own vocabulary. `message` tells the sender what to mend;
 * `details` are the further keys that the specification gives the answer (`retry_after_ms`, `soft_logout` ...).
 */
export class MatrixError extends Error {
  readonly errcode: Errcode;
  readonly details: JsonObject;

  constructor(errcode: Errcode, message: string, details: JsonObject = {}) {
    super(message);
    this.name = "MatrixError";
    this.errcode = errcode;
    this.details = details;
  }
}
