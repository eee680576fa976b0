import {
  claimKeys,
  getKeysChanges,
  queryKeys,
  uploadCrossSigningKeys,
  uploadCrossSigningSignatures,
  uploadKeys,
} from "../../api/client/encryption-keys.ts";
import type { CrossSigningResets } from "../../auth/cross-signing-resets.ts";
import type { InteractiveAuth } from "../../auth/interactive.ts";
import type { CrossSigning } from "../../services/keys/cross-signing.ts";
import type { KeyClaiming } from "../../services/keys/key-claim.ts";
import type { KeyQuery } from "../../services/keys/key-query.ts";
import type { KeySignatures } from "../../services/keys/key-signatures.ts";
import type { KeyUpload } from "../../services/keys/key-upload.ts";
import { keyTimeoutMs } from "../../services/keys/remote-keys.ts";
import type { DeviceListStream } from "../../sync/streams/device-lists.ts";
import { parseStreamToken } from "../../timeline/stream-token.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { claimJson, queryJson } from "./key-answers.ts";

export interface EncryptionKeyServices {
  readonly uploads: KeyUpload;
  readonly queries: KeyQuery;
  readonly claims: KeyClaiming;
  readonly crossSigning: CrossSigning;
  readonly signatures: KeySignatures;
  readonly deviceLists: DeviceListStream;
}

/** Client-server API, "Key management API" and "Cross-signing". */
export function encryptionKeyHandlers(
  services: EncryptionKeyServices,
  interactive: InteractiveAuth,
  resets: CrossSigningResets,
): BoundEndpoint[] {
  const { uploads, queries, claims, crossSigning, signatures, deviceLists } = services;
  return [
    handler(uploadKeys, async ({ requester, body }) => ({
      one_time_key_counts: await uploads.upload(requester, body),
    })),
    handler(queryKeys, async ({ requester, body }) =>
      queryJson(await queries.query(requester, body.device_keys, keyTimeoutMs(body.timeout))),
    ),
    handler(claimKeys, async ({ body }) => {
      const { keys, failures } = await claims.claim(body.one_time_keys, keyTimeoutMs(body.timeout));
      return claimJson(keys, failures);
    }),
    handler(getKeysChanges, async ({ requester, query }) => {
      // "This may be used by the server as a hint": what has changed later is told as well.
      parseStreamToken(query.to, "to");
      return deviceLists.changes(requester.userNid, parseStreamToken(query.from, "from"));
    }),
    handler(uploadCrossSigningKeys, async (request) => {
      const { requester, body } = request;
      const keys = await crossSigning.check(requester, body);
      if (await crossSigning.store(requester, keys, false)) return {};
      if (!resets.isAllowed(requester.userNid)) await interactive.confirmKeyReset(request);
      await crossSigning.store(requester, keys, true);
      resets.used(requester.userNid);
      return {};
    }),
    handler(uploadCrossSigningSignatures, async ({ requester, body }) => ({
      failures: await signatures.add(requester, body),
    })),
  ];
}
