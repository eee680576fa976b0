/** Why a request to another host came to nothing. */
export type OutboundFailure =
  | "bad-url"
  | "refused-url"
  | "refused-address"
  | "unreachable"
  | "timeout"
  | "too-large"
  | "too-many-redirects"
  | "aborted";

/** A request to another host that has no answer. Its message names hosts, never whole URLs, which may hold secrets. */
export class OutboundError extends Error {
  readonly failure: OutboundFailure;

  constructor(failure: OutboundFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "OutboundError";
    this.failure = failure;
  }
}
