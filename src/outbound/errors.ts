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
  /** Nothing of the request can have reached the host: there was no connection. */
  readonly isUnsent: boolean;

  constructor(
    failure: OutboundFailure,
    message: string,
    { isUnsent = false, ...options }: ErrorOptions & { readonly isUnsent?: boolean } = {},
  ) {
    super(message, options);
    this.name = "OutboundError";
    this.failure = failure;
    this.isUnsent = isUnsent;
  }
}
