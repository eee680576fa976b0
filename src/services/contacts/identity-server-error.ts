import type { OutboundError } from "../../outbound/errors.ts";
import { isJsonObject, type JsonObject } from "../../protocol/json.ts";

const maxMessageLength = 1_000;

interface ErrorBody extends JsonObject {
  readonly errcode: string;
  readonly error: string;
}

/** An identity server refused a request, or did not answer. "Homeservers should simply proxy any errors." */
export class IdentityServerError extends Error {
  /** What the client is answered. */
  readonly status: number;
  readonly body: ErrorBody;
  /** What the identity server answered; 0 when it did not. */
  readonly remoteStatus: number;
  readonly isMatrixError: boolean;

  private constructor(status: number, body: ErrorBody, remoteStatus: number, cause?: Error) {
    super(body.error, { cause });
    this.name = "IdentityServerError";
    this.status = status;
    this.body = body;
    this.remoteStatus = remoteStatus;
    this.isMatrixError = remoteStatus >= 400 && body.errcode !== "M_UNKNOWN";
  }

  static unreachable(cause: OutboundError): IdentityServerError {
    return new IdentityServerError(502, unknown("The identity server could not be reached"), 0, cause);
  }

  /** @param answer `undefined` for one that cannot be understood */
  static ofAnswer(status: number, answer: JsonObject | undefined): IdentityServerError {
    const { errcode, error } = answer ?? {};
    if (status < 400 || status >= 500 || typeof errcode !== "string") {
      return new IdentityServerError(502, unknown(`The identity server answered ${status}`), status);
    }
    // Clients would take it for their own token's end, and sign out.
    if (status === 401) {
      const message = "The identity server does not know id_access_token (any more): get another one from it";
      return new IdentityServerError(403, { errcode: "M_FORBIDDEN", error: message }, status);
    }
    const message =
      typeof error === "string" ? error.slice(0, maxMessageLength) : "The identity server refuses";
    return new IdentityServerError(status, { ...policies(answer), errcode, error: message }, status);
  }
}

function unknown(error: string): ErrorBody {
  return { errcode: "M_UNKNOWN", error };
}

/** What a client needs to know to go on, beside the code: how long to wait. */
function policies(answer: JsonObject | undefined): JsonObject {
  const wait = isJsonObject(answer) ? answer["retry_after_ms"] : undefined;
  return typeof wait === "number" ? { retry_after_ms: wait } : {};
}
