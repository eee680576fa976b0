/**
 * Why somebody cannot sign in by a provider: `provider` something went wrong there or on the way; `not-allowed` their
 * claims are not what is required; `expired` this browser has not begun it, or too long ago.
 */
export type SignOnFailure = "provider" | "not-allowed" | "expired";

export class SignOnError extends Error {
  readonly failure: SignOnFailure;

  constructor(failure: SignOnFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SignOnError";
    this.failure = failure;
  }
}
