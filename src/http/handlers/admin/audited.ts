import type { EndpointDeclaration } from "../../../api/endpoint.ts";
import type { Requester } from "../../../auth/requester.ts";
import type { JsonObject, JsonValue } from "../../../protocol/json.ts";
import type { AuditLog } from "../../../admin/audit-log.ts";
import { type BoundEndpoint, unaudited } from "../../pipeline.ts";
import type { Request } from "../../request.ts";

/** What the audit log is told of an act. */
export interface Told<E extends EndpointDeclaration> {
  /** Whom or what it is done to: an ID, in few characters. Absent when there is no single one. */
  readonly target?: (request: Request<E>) => string;
  /** What of the target can change by it: asked before and after. `null` when there is no such thing. */
  readonly look?: (request: Request<E>) => Promise<JsonObject | null>;
}

/** Keys of bodies whose values nobody should read later. */
const secretKeys: ReadonlySet<string> = new Set([
  "password",
  "new_password",
  "auth",
  "mac",
  "nonce",
  "access_token",
]);
const maxTargetLength = 512;

/** As `handler`, for what an administrator does, with `access: "admin"`: it is in the audit log before it is done. */
export function audited<E extends EndpointDeclaration>(
  auditLog: AuditLog,
  declaration: E,
  { target, look }: Told<E>,
  handle: (request: Request<E>) => Promise<object>,
): BoundEndpoint {
  return unaudited(declaration, (request) => {
    const { userId } = request.requester as Requester;
    const act = {
      actor: userId,
      address: request.context.address,
      action: declaration.operationId,
      target: (target?.(request) ?? "").slice(0, maxTargetLength),
      request: withoutSecrets({
        ...request.params,
        ...request.query,
        ...(request.body as object | undefined),
      }),
    };
    return auditLog.record(
      act,
      async () => (await look?.(request)) ?? null,
      () => handle(request),
    );
  });
}

function withoutSecrets(asked: object): JsonObject {
  const entries = Object.entries(asked as Record<string, JsonValue | undefined>);
  return Object.fromEntries(
    entries.flatMap(([key, value]) => {
      if (value === undefined) return [];
      return [[key, secretKeys.has(key) ? "(secret)" : value]];
    }),
  );
}
