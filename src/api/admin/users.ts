import { Type } from "../../schema/type.ts";
import { adminEndpoint } from "./admin-endpoint.ts";

const nullableString = Type.Optional(Type.Union([Type.String(), Type.Null()]));
const flag = Type.Optional(Type.Boolean());

const listQuery = Type.Object({
  from: Type.Optional(Type.String()),
  limit: Type.Optional(Type.Integer({ minimum: 0 })),
  user_id: Type.Optional(Type.String()),
  name: Type.Optional(Type.String()),
  guests: flag,
  admins: flag,
  deactivated: flag,
  locked: flag,
  order_by: Type.Optional(
    Type.Enum([
      "name",
      "displayname",
      "avatar_url",
      "is_guest",
      "admin",
      "deactivated",
      "locked",
      "user_type",
      "creation_ts",
      "last_seen_ts",
    ]),
  ),
  dir: Type.Optional(Type.Enum(["f", "b"])),
  not_user_type: Type.Optional(Type.Array(Type.String())),
});

/** `deactivated=true` adds those who are deactivated. */
export const listUsers = adminEndpoint({
  operationId: "adminListUsers",
  method: "GET",
  path: "/_synapse/admin/v2/users",
  query: listQuery,
});

/** `deactivated=true` lists those alone who are deactivated. */
export const listUsersByState = adminEndpoint({
  operationId: "adminListUsersByState",
  method: "GET",
  path: "/_synapse/admin/v3/users",
  query: listQuery,
});

export const getUser = adminEndpoint({
  operationId: "adminGetUser",
  method: "GET",
  path: "/_synapse/admin/v2/users/{userId}",
});

/** Makes a user who is not there. */
export const putUser = adminEndpoint({
  operationId: "adminPutUser",
  method: "PUT",
  path: "/_synapse/admin/v2/users/{userId}",
  body: Type.Object({
    password: nullableString,
    logout_devices: flag,
    displayname: nullableString,
    avatar_url: nullableString,
    threepids: Type.Optional(
      Type.Union([
        Type.Array(Type.Object({ medium: Type.String(), address: Type.String() }), { maxItems: 100 }),
        Type.Null(),
      ]),
    ),
    external_ids: Type.Optional(
      Type.Union([
        Type.Array(
          Type.Object({
            auth_provider: Type.String({ maxLength: 255 }),
            external_id: Type.String({ maxLength: 1_000 }),
          }),
          { maxItems: 100 },
        ),
        Type.Null(),
      ]),
    ),
    admin: flag,
    deactivated: flag,
    locked: flag,
    user_type: nullableString,
  }),
});

export const deactivateUser = adminEndpoint({
  operationId: "adminDeactivateUser",
  method: "POST",
  path: "/_synapse/admin/v1/deactivate/{userId}",
  body: Type.Object({ erase: flag }),
});

export const resetPassword = adminEndpoint({
  operationId: "adminResetPassword",
  method: "POST",
  path: "/_synapse/admin/v1/reset_password/{userId}",
  body: Type.Object({ new_password: Type.String(), logout_devices: flag }),
});

export const getUserIsAdmin = adminEndpoint({
  operationId: "adminGetUserIsAdmin",
  method: "GET",
  path: "/_synapse/admin/v1/users/{userId}/admin",
});

export const setUserIsAdmin = adminEndpoint({
  operationId: "adminSetUserIsAdmin",
  method: "PUT",
  path: "/_synapse/admin/v1/users/{userId}/admin",
  body: Type.Object({ admin: Type.Boolean() }),
});

export const suspendUser = adminEndpoint({
  operationId: "adminSuspendUser",
  method: "PUT",
  path: "/_synapse/admin/v1/suspend/{userId}",
  body: Type.Object({ suspend: Type.Boolean() }),
});

export const getUsernameAvailability = adminEndpoint({
  operationId: "adminGetUsernameAvailability",
  method: "GET",
  path: "/_synapse/admin/v1/username_available",
  query: Type.Object({ username: Type.String() }),
});

export const findUserByContact = adminEndpoint({
  operationId: "adminFindUserByContact",
  method: "GET",
  path: "/_synapse/admin/v1/threepid/{medium}/users/{address}",
});

export const findUserByExternalId = adminEndpoint({
  operationId: "adminFindUserByExternalId",
  method: "GET",
  path: "/_synapse/admin/v1/auth_providers/{providerId}/users/{externalId}",
});
