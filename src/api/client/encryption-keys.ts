import { Type } from "../../schema/type.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { endpoint } from "../endpoint.ts";
import { interactiveAuthKey } from "./interactive-auth.ts";

/** Clients from before the endpoints were stable call them under "unstable". */
const versions = ["v3", "r0", "unstable"];

const signatures = Type.Record(Type.String(), Type.Record(Type.String(), Type.String()));
/** A whole room's worth of devices may be asked for at once. */
const maxUsersBodyBytes = 2 * 1024 * 1024;

export interface DeviceKeysJson extends JsonObject {
  readonly user_id: string;
  readonly device_id: string;
}

export const deviceKeys = Type.Unsafe<DeviceKeysJson>(
  Type.Object({
    user_id: Type.String(),
    device_id: Type.String(),
    algorithms: Type.Array(Type.String()),
    keys: Type.Record(Type.String(), Type.String()),
    signatures,
  }),
);

/** Keys by algorithm and ID: a string, or an object that the device has signed. */
export type OneTimeKeysJson = Readonly<Record<string, string | JsonObject>>;

export const oneTimeKeys = Type.Unsafe<OneTimeKeysJson>(
  Type.Record(
    Type.String(),
    Type.Union([
      Type.String(),
      Type.Object({ key: Type.String(), signatures, fallback: Type.Optional(Type.Boolean()) }),
    ]),
  ),
);

export const uploadKeys = endpoint({
  operationId: "uploadKeys",
  method: "POST",
  path: "/keys/upload",
  versions,
  access: "user",
  guests: true,
  rateLimit: "default",
  body: Type.Object({
    device_keys: Type.Optional(deviceKeys),
    one_time_keys: Type.Optional(oneTimeKeys),
    fallback_keys: Type.Optional(oneTimeKeys),
  }),
});

export const queryKeys = endpoint({
  operationId: "queryKeys",
  method: "POST",
  path: "/keys/query",
  versions,
  access: "user",
  guests: true,
  rateLimit: "default",
  maxBodyBytes: maxUsersBodyBytes,
  body: Type.Object({
    timeout: Type.Optional(Type.Integer({ minimum: 0 })),
    device_keys: Type.Record(Type.String(), Type.Array(Type.String())),
  }),
});

export const claimKeys = endpoint({
  operationId: "claimKeys",
  method: "POST",
  path: "/keys/claim",
  versions,
  access: "user",
  guests: true,
  rateLimit: "default",
  maxBodyBytes: maxUsersBodyBytes,
  body: Type.Object({
    timeout: Type.Optional(Type.Integer({ minimum: 0 })),
    one_time_keys: Type.Record(Type.String(), Type.Record(Type.String(), Type.String())),
  }),
});

export const getKeysChanges = endpoint({
  operationId: "getKeysChanges",
  method: "GET",
  path: "/keys/changes",
  versions,
  access: "user",
  rateLimit: "default",
  query: Type.Object({ from: Type.String(), to: Type.String() }),
});

export interface CrossSigningKeyJson extends JsonObject {
  readonly user_id: string;
  readonly usage: string[];
  readonly keys: Record<string, string>;
}

const crossSigningKey = Type.Unsafe<CrossSigningKeyJson>(
  Type.Object({
    user_id: Type.String(),
    usage: Type.Array(Type.String()),
    keys: Type.Record(Type.String(), Type.String(), { minProperties: 1, maxProperties: 1 }),
    signatures: Type.Optional(signatures),
  }),
);

export const uploadCrossSigningKeys = endpoint({
  operationId: "uploadCrossSigningKeys",
  method: "POST",
  path: "/keys/device_signing/upload",
  versions,
  access: "user",
  rateLimit: "default",
  interactive: true,
  body: Type.Object({
    ...interactiveAuthKey,
    master_key: Type.Optional(crossSigningKey),
    self_signing_key: Type.Optional(crossSigningKey),
    user_signing_key: Type.Optional(crossSigningKey),
  }),
});

export const uploadCrossSigningSignatures = endpoint({
  operationId: "uploadCrossSigningSignatures",
  method: "POST",
  path: "/keys/signatures/upload",
  versions,
  access: "user",
  rateLimit: "default",
  body: Type.Record(
    Type.String(),
    Type.Record(Type.String(), Type.Unsafe<JsonObject>(Type.Object({ signatures }))),
  ),
});
