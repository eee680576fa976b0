import type { Config } from "../../config/schema.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";

type Policy = Config["passwords"];

const maxBytes = 512;

const demands: readonly { key: keyof Policy; pattern: RegExp; what: string }[] = [
  { key: "require_digit", pattern: /\p{Nd}/u, what: "a digit" },
  {
    key: "require_symbol",
    pattern: /[^\p{L}\p{N}\p{M}]/u,
    what: "a character that is neither letter nor digit",
  },
  { key: "require_lower_case", pattern: /\p{Ll}/u, what: "a small letter" },
  { key: "require_upper_case", pattern: /\p{Lu}/u, what: "a capital letter" },
];

/** What new passwords have to be (client-server API, "Password management"). */
export class PasswordPolicy {
  readonly #policy: Policy;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  /**
   * Refuses a password that nobody should choose.
   * @throws MatrixError M_WEAK_PASSWORD, M_INVALID_PARAM.
   */
  check(password: string): void {
    const { min_length: minLength } = this.#policy;
    if (Array.from(password).length < minLength) {
      throw new MatrixError("M_WEAK_PASSWORD", `A password must have at least ${minLength} characters`);
    }
    if (Buffer.byteLength(password) > maxBytes) {
      throw new MatrixError("M_INVALID_PARAM", `A password must not have more than ${maxBytes} bytes`);
    }
    for (const { key, pattern, what } of demands) {
      if (!this.#policy[key] || pattern.test(password)) continue;
      throw new MatrixError("M_WEAK_PASSWORD", `A password must have ${what}`);
    }
  }
}
