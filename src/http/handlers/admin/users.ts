import type { AuditLog } from "../../../admin/audit-log.ts";
import type { UserEditing, UserWish } from "../../../admin/user-editing.ts";
import type { Users } from "../../../admin/users.ts";
import { getUser, listUsers, listUsersByState, putUser } from "../../../api/admin/users.ts";
import type { BodyOf, QueryOf } from "../../../api/endpoint.ts";
import { contactOf } from "../../../auth/user-identifier.ts";
import { MatrixError } from "../../../protocol/matrix-error.ts";
import type { UserListStore } from "../../../storage/user-lists.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import { Reply } from "../../reply.ts";
import { userIdFrom } from "../path-parameters.ts";
import { audited } from "./audited.ts";
import { offsetFrom, pageSize } from "./paging.ts";
import { listedUserJson, userJson } from "./user-json.ts";

export interface UserHandlerParts {
  readonly users: Users;
  readonly editing: UserEditing;
  readonly lists: UserListStore;
  readonly auditLog: AuditLog;
}

/** Synapse's admin API, "User Admin API": the users of this server, one by one and in lists. */
export function userHandlers({ users, editing, lists, auditLog }: UserHandlerParts): BoundEndpoint[] {
  const found = async (userId: string) => {
    try {
      return await users.details(userIdFrom(userId));
    } catch (error) {
      if (error instanceof MatrixError && error.errcode === "M_NOT_FOUND") return undefined;
      throw error;
    }
  };
  const told = {
    target: ({ params }: { params: { userId: string } }) => params.userId,
    look: async ({ params }: { params: { userId: string } }) => {
      const user = await found(params.userId);
      return user ? userJson(user) : null;
    },
  };
  return [
    handler(listUsers, async ({ query }) => listOf(lists, query, query.deactivated === true ? null : false)),
    handler(listUsersByState, async ({ query }) => listOf(lists, query, query.deactivated ?? null)),
    handler(getUser, async ({ params }) => userJson(await users.details(userIdFrom(params.userId)))),
    audited(auditLog, putUser, told, async ({ requester, params, body }) => {
      const userId = userIdFrom(params.userId);
      const present = await found(params.userId);
      if (present) await editing.modify(requester, present.account, wishOf(body));
      else await editing.create(userId, wishOf(body));
      return new Reply(present ? 200 : 201, userJson(await users.details(userId)));
    }),
  ];
}

async function listOf(
  lists: UserListStore,
  query: QueryOf<typeof listUsers>,
  isDeactivated: boolean | null,
): Promise<object> {
  const offset = offsetFrom(query.from, 0);
  const { users, total } = await lists.page({
    name: query.name ?? null,
    userId: query.name === undefined ? (query.user_id ?? null) : null,
    isGuest: query.guests === false ? false : null,
    isAdmin: query.admins ?? null,
    isDeactivated,
    isLocked: query.locked === true ? null : false,
    withoutTypes: query.not_user_type ?? [],
    orderBy: query.order_by ?? "name",
    isDescending: query.dir === "b",
    offset,
    limit: pageSize(query.limit),
  });
  const next = offset + users.length;
  return {
    users: users.map(listedUserJson),
    total,
    ...(users.length > 0 && next < total && { next_token: String(next) }),
  };
}

/** @throws MatrixError M_INVALID_PARAM for an address that is none */
function wishOf(body: BodyOf<typeof putUser>): UserWish {
  return {
    password: body.password ?? undefined,
    logOutDevices: body.logout_devices ?? true,
    displayName: body.displayname === null ? "" : body.displayname,
    avatarUrl: body.avatar_url === null ? "" : body.avatar_url,
    contacts: body.threepids?.map(({ medium, address }) => contactOf(medium, address)),
    externalIds: body.external_ids?.map(({ auth_provider: providerId, external_id: externalId }) => ({
      providerId,
      externalId,
    })),
    isAdmin: body.admin,
    isDeactivated: body.deactivated,
    isLocked: body.locked,
    userType: body.user_type,
  };
}
