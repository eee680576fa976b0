import { Type } from "../../schema/type.ts";
import { adminEndpoint } from "./admin-endpoint.ts";

const usesAllowed = Type.Optional(Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]));
const expiryTime = Type.Optional(Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]));

export const listRegistrationTokens = adminEndpoint({
  operationId: "adminListRegistrationTokens",
  method: "GET",
  path: "/_synapse/admin/v1/registration_tokens",
  query: Type.Object({ valid: Type.Optional(Type.Boolean()) }),
});

export const createRegistrationToken = adminEndpoint({
  operationId: "adminCreateRegistrationToken",
  method: "POST",
  path: "/_synapse/admin/v1/registration_tokens/new",
  body: Type.Object({
    token: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    length: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
    uses_allowed: usesAllowed,
    expiry_time: expiryTime,
  }),
});

export const getRegistrationToken = adminEndpoint({
  operationId: "adminGetRegistrationToken",
  method: "GET",
  path: "/_synapse/admin/v1/registration_tokens/{token}",
});

export const updateRegistrationToken = adminEndpoint({
  operationId: "adminUpdateRegistrationToken",
  method: "PUT",
  path: "/_synapse/admin/v1/registration_tokens/{token}",
  body: Type.Object({ uses_allowed: usesAllowed, expiry_time: expiryTime }),
});

export const deleteRegistrationToken = adminEndpoint({
  operationId: "adminDeleteRegistrationToken",
  method: "DELETE",
  path: "/_synapse/admin/v1/registration_tokens/{token}",
});
