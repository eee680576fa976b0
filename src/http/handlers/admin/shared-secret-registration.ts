import {
  getRegistrationNonce,
  registerWithSharedSecret,
} from "../../../api/admin/shared-secret-registration.ts";
import type { SharedSecret } from "../../../auth/shared-secret.ts";
import type { ServerName } from "../../../protocol/identifiers.ts";
import { MatrixError } from "../../../protocol/matrix-error.ts";
import type { Registered, Registration } from "../../../services/accounts/registration.ts";
import { type AuditLog, nothingBefore } from "../../../admin/audit-log.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import type { Request } from "../../request.ts";
import { registeredJson } from "../sessions.ts";

/** Synapse's admin API, "Register an account": accounts for who knows the shared secret, whatever the registration mode. */
export function sharedSecretHandlers(
  registration: Registration,
  serverName: ServerName,
  secret: SharedSecret | undefined,
  auditLog: AuditLog,
): BoundEndpoint[] {
  return [
    handler(getRegistrationNonce, async () => ({ nonce: enabled(secret).newNonce() })),
    handler(registerWithSharedSecret, async (request) => {
      const registered = await register(request, registration, enabled(secret), auditLog);
      return registeredJson(registered, serverName);
    }),
  ];
}

function register(
  { body, context }: Request<typeof registerWithSharedSecret>,
  registration: Registration,
  secret: SharedSecret,
  auditLog: AuditLog,
): Promise<Registered> {
  const { nonce, username, password, mac, admin = false, user_type: userType = null } = body;
  secret.check({ nonce, username, password, mac, admin, userType });
  const userId = registration.userIdFor(username);
  const act = {
    actor: "shared secret",
    address: context.address,
    action: registerWithSharedSecret.operationId,
    target: userId,
    request: { admin, user_type: userType },
  };
  return auditLog.record(act, nothingBefore, () =>
    registration.register({
      userId,
      password,
      displayName: body.displayname ?? username,
      isAdmin: admin,
      userType,
      session: body.inhibit_login ? undefined : {},
    }),
  );
}

function enabled(secret: SharedSecret | undefined): SharedSecret {
  if (secret) return secret;
  throw new MatrixError("M_FORBIDDEN", "This server has no shared secret for registration");
}
