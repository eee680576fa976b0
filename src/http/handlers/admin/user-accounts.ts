import type { AuditLog } from "../../../admin/audit-log.ts";
import type { UserEditing } from "../../../admin/user-editing.ts";
import type { Users } from "../../../admin/users.ts";
import {
  deactivateUser,
  findUserByContact,
  findUserByExternalId,
  getUserIsAdmin,
  getUsernameAvailability,
  resetPassword,
  setUserIsAdmin,
  suspendUser,
} from "../../../api/admin/users.ts";
import { contactOf } from "../../../auth/user-identifier.ts";
import type { AccountModeration } from "../../../services/accounts/moderation.ts";
import type { Registration } from "../../../services/accounts/registration.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import { userIdFrom } from "../path-parameters.ts";
import { audited } from "./audited.ts";

export interface UserAccountHandlerParts {
  readonly users: Users;
  readonly editing: UserEditing;
  readonly moderation: AccountModeration;
  readonly registration: Registration;
  readonly auditLog: AuditLog;
}

/** Synapse's admin API, "User Admin API": single acts on accounts, and finding them. */
export function userAccountHandlers(parts: UserAccountHandlerParts): BoundEndpoint[] {
  const { users, editing, moderation, registration, auditLog } = parts;
  type OfUser = { readonly params: { readonly userId: string } };
  const target = ({ params }: OfUser) => params.userId;
  const account = ({ params }: OfUser) => users.account(userIdFrom(params.userId));
  const look = async (request: OfUser) => {
    const { isAdmin, isDeactivated, isErased, isSuspended } = await account(request);
    return { admin: isAdmin, deactivated: isDeactivated, erased: isErased, suspended: isSuspended };
  };
  const told = { target, look };
  return [
    audited(auditLog, deactivateUser, told, async (request) => ({
      id_server_unbind_result: await editing.deactivate(await account(request), request.body.erase ?? false),
    })),
    audited(auditLog, resetPassword, told, async (request) => {
      const { new_password: password, logout_devices: logOutDevices = true } = request.body;
      await editing.resetPassword(await account(request), password, logOutDevices);
      return {};
    }),
    handler(getUserIsAdmin, async (request) => ({ admin: (await account(request)).isAdmin })),
    audited(auditLog, setUserIsAdmin, told, async (request) => {
      await editing.setAdmin(request.requester, await account(request), request.body.admin);
      return {};
    }),
    audited(auditLog, suspendUser, told, async ({ requester, params, body: { suspend } }) => {
      const userId = userIdFrom(params.userId);
      await moderation.change(requester, userId, { isSuspended: suspend });
      return { [`user_${userId}_suspended`]: suspend };
    }),
    handler(getUsernameAvailability, async ({ query }) => {
      await registration.checkAvailable(registration.userIdFor(query.username));
      return { available: true };
    }),
    handler(findUserByContact, async ({ params }) => ({
      user_id: await users.withContact(contactOf(params.medium, params.address)),
    })),
    handler(findUserByExternalId, async ({ params: { providerId, externalId } }) => ({
      user_id: await users.withExternalId({ providerId, externalId }),
    })),
  ];
}
