export type StartupFailure =
  | "port-in-use"
  | "unwritable"
  | "newer-database"
  | "bad-key"
  | "bad-tls"
  | "bad-text";

/** The server cannot start, for a reason that the operator can mend. The message is one sentence that says how. */
export class StartupError extends Error {
  override readonly name = "StartupError";
  readonly reason: StartupFailure;

  constructor(reason: StartupFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
