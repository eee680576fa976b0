import { MatrixError } from "../protocol/matrix-error.ts";
import type { ActingUser } from "./requester.ts";

/**
 * For what suspended accounts may not do (client-server API, "Account suspension").
 * @throws MatrixError M_USER_SUSPENDED.
 */
export function refuseSuspended(requester: Pick<ActingUser, "isSuspended">): void {
  if (!requester.isSuspended) return;
  throw new MatrixError("M_USER_SUSPENDED", "You cannot do this while your account is suspended");
}
