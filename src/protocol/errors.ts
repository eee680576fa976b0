/**
 * Everything that the protocol core throws. `reason` is for code, `message` is a sentence that tells a sender what to mend.
 * No message repeats a secret; untrusted text is repeated only where it is short.
 */
export class ProtocolError<Reason extends string = string> extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.reason = reason;
  }
}

/** A value that has no canonical JSON (appendices, "Canonical JSON"). */
export class CanonicalJsonError extends ProtocolError<
  "not-json" | "not-an-integer" | "integer-out-of-range" | "lone-surrogate" | "too-deep"
> {}

/** Text that is not the JSON which Matrix servers exchange. */
export class StrictJsonError extends ProtocolError<
  "invalid-utf8" | "syntax" | "duplicate-key" | "lone-surrogate" | "number-out-of-range" | "too-deep"
> {}

/** An object that is not a PDU of its room version (room versions, "Event format"). */
export class PduFormatError extends ProtocolError<
  | "wrong-type"
  | "missing-key"
  | "forbidden-key"
  | "too-large"
  | "out-of-range"
  | "invalid-identifier"
  | "not-canonical"
> {}

/** A signing key, verification key or key ID that cannot be used. */
export class KeyError extends ProtocolError<"invalid-key-id" | "invalid-seed" | "invalid-public-key"> {}

/** An `Authorization: X-Matrix` header that cannot be read. */
export class XMatrixError extends ProtocolError<
  "wrong-scheme" | "syntax" | "missing-parameter" | "too-long"
> {}
