import { MatrixError } from "../../protocol/matrix-error.ts";

const minCharacters = 8;
const maxBytes = 512;

/**
 * Refuses a password that nobody should choose (client-server API, "Password management").
 * @throws MatrixError M_WEAK_PASSWORD, M_INVALID_PARAM.
 */
export function checkNewPassword(password: string): void {
  if (password.length < minCharacters) {
    throw new MatrixError("M_WEAK_PASSWORD", `A password must have at least ${minCharacters} characters`);
  }
  if (Buffer.byteLength(password) > maxBytes) {
    throw new MatrixError("M_INVALID_PARAM", `A password must not have more than ${maxBytes} bytes`);
  }
}
