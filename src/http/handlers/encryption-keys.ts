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
import type { ClaimAnswer, ClaimedKey, KeyClaiming } from "../../services/keys/key-claim.ts";
import type { KeyQuery, KeyQueryAnswer } from "../../services/keys/key-query.ts";
import type { KeySignatures } from "../../services/keys/key-signatures.ts";
import type { KeyUpload } from "../../services/keys/key-upload.ts";
import type { DeviceListStream } from "../../sync/streams/device-lists.ts";
import { parseStreamToken } from "../../timeline/stream-token.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { JsonChunks } from "../reply.ts";

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
      queryJson(await queries.query(requester, body.device_keys)),
    ),
    handler(claimKeys, async ({ body }) => claimJson(await claims.claim(body.one_time_keys))),
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

const queryStart = Buffer.from('{"device_keys":{');
const masterKeysStart = Buffer.from('},"master_keys":{');
const selfSigningKeysStart = Buffer.from('},"self_signing_keys":{');
const userSigningKeysStart = Buffer.from('},"user_signing_keys":{');

function queryJson(answer: KeyQueryAnswer): JsonChunks {
  const chunks: (Buffer | string)[] = [queryStart];
  pushMembers(chunks, answer.deviceKeys);
  chunks.push(masterKeysStart);
  pushMembers(chunks, answer.masterKeys);
  chunks.push(selfSigningKeysStart);
  pushMembers(chunks, answer.selfSigningKeys);
  chunks.push(userSigningKeysStart);
  pushMembers(chunks, answer.userSigningKeys);
  chunks.push(`},"failures":${JSON.stringify(answer.failures)}}`);
  return new JsonChunks(chunks);
}

/** Members begin with a comma, which the first of them goes without. */
function pushMembers(chunks: (Buffer | string)[], members: readonly Buffer[]): void {
  const start = chunks.length;
  for (const member of members) chunks.push(member);
  const [first] = members;
  if (first) chunks[start] = first.subarray(1);
}

function claimJson({ keys, failures }: ClaimAnswer): JsonChunks {
  const chunks: string[] = ['{"one_time_keys":{'];
  let userId: string | undefined;
  for (const key of keys) {
    if (key.userId === userId) chunks.push(`,${claimedKeyJson(key)}`);
    else
      chunks.push(`${userId === undefined ? "" : "},"}${JSON.stringify(key.userId)}:{${claimedKeyJson(key)}`);
    userId = key.userId;
  }
  chunks.push(`${userId === undefined ? "" : "}"}},"failures":${JSON.stringify(failures)}}`);
  return new JsonChunks(chunks);
}

function claimedKeyJson({ deviceId, algorithm, keyId, key }: ClaimedKey): string {
  return `${JSON.stringify(deviceId)}:{${JSON.stringify(`${algorithm}:${keyId}`)}:${key}}`;
}
