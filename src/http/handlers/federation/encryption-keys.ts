import {
  claimUserEncryptionKeys,
  getUserDevices,
  queryUserEncryptionKeys,
} from "../../../api/federation/encryption-keys.ts";
import type { KeyClaiming } from "../../../services/keys/key-claim.ts";
import type { KeyQuery } from "../../../services/keys/key-query.ts";
import type { ServedDeviceLists } from "../../../services/keys/served-device-lists.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import { claimJson, serverQueryJson } from "../key-answers.ts";

/** Server-server API, "Device Management" and "End-to-End Encryption". */
export function serverKeyQueryHandlers(services: {
  readonly queries: KeyQuery;
  readonly claims: KeyClaiming;
  readonly deviceLists: ServedDeviceLists;
}): BoundEndpoint[] {
  const { queries, claims, deviceLists } = services;
  return [
    handler(getUserDevices, ({ params }) => deviceLists.of(params.userId)),
    handler(queryUserEncryptionKeys, async ({ body }) =>
      serverQueryJson(await queries.queryForServer(body.device_keys)),
    ),
    handler(claimUserEncryptionKeys, async ({ body }) =>
      claimJson(await claims.claimForServer(body.one_time_keys)),
    ),
  ];
}
