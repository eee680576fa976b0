import {
  createRegistrationToken,
  deleteRegistrationToken,
  getRegistrationToken,
  listRegistrationTokens,
  updateRegistrationToken,
} from "../../../api/admin/registration-tokens.ts";
import type { AuditLog } from "../../../admin/audit-log.ts";
import type { RegistrationTokens } from "../../../admin/registration-tokens.ts";
import type { RegistrationToken } from "../../../storage/registration-tokens.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import type { Request } from "../../request.ts";
import { audited } from "./audited.ts";

/** Synapse's admin API, "Registration Tokens". */
export function registrationTokenHandlers(tokens: RegistrationTokens, auditLog: AuditLog): BoundEndpoint[] {
  type Changing = Request<typeof updateRegistrationToken | typeof deleteRegistrationToken>;
  const told = {
    target: ({ params }: Changing) => params.token,
    look: async ({ params }: Changing) => {
      const found = await tokens.find(params.token);
      return found ? tokenJson(found) : null;
    },
  };
  return [
    handler(listRegistrationTokens, async ({ query }) => ({
      registration_tokens: (await tokens.list(query.valid)).map(tokenJson),
    })),
    audited(auditLog, createRegistrationToken, {}, async ({ body }) => {
      const { token, length, uses_allowed: usesAllowed = null, expiry_time: expiresTs = null } = body;
      const wish = { token: token ?? undefined, length: length ?? undefined, usesAllowed, expiresTs };
      return tokenJson(await tokens.create(wish));
    }),
    handler(getRegistrationToken, async ({ params }) => tokenJson(await tokens.get(params.token))),
    audited(auditLog, updateRegistrationToken, told, async ({ params, body }) => {
      const changes = { usesAllowed: body.uses_allowed, expiresTs: body.expiry_time };
      return tokenJson(await tokens.update(params.token, changes));
    }),
    audited(auditLog, deleteRegistrationToken, told, async ({ params }) => {
      await tokens.remove(params.token);
      return {};
    }),
  ];
}

/** A use is spent together with the making of an account, so none is ever pending. */
function tokenJson({ token, usesAllowed, uses, expiresTs }: RegistrationToken) {
  return { token, uses_allowed: usesAllowed, pending: 0, completed: uses, expiry_time: expiresTs };
}
