import type { ClaimedKey } from "../../services/keys/key-claim.ts";
import type { KeyQueryAnswer } from "../../services/keys/key-query.ts";
import type { KeyFailures } from "../../services/keys/remote-keys.ts";
import { JsonChunks } from "../reply.ts";

const queryStart = Buffer.from('{"device_keys":{');
const masterKeysStart = Buffer.from('},"master_keys":{');
const selfSigningKeysStart = Buffer.from('},"self_signing_keys":{');
const userSigningKeysStart = Buffer.from('},"user_signing_keys":{');

/** The answer of `/keys/query` to a client. */
export function queryJson(answer: KeyQueryAnswer): JsonChunks {
  const chunks = queryChunks(answer);
  chunks.push(userSigningKeysStart);
  pushMembers(chunks, answer.userSigningKeys);
  chunks.push(`},"failures":${JSON.stringify(answer.failures)}}`);
  return new JsonChunks(chunks);
}

/** The answer of `/user/keys/query` to a server: there are no user-signing keys in it. */
export function serverQueryJson(answer: KeyQueryAnswer): JsonChunks {
  const chunks = queryChunks(answer);
  chunks.push("}}");
  return new JsonChunks(chunks);
}

function queryChunks(answer: KeyQueryAnswer): (Buffer | string)[] {
  const chunks: (Buffer | string)[] = [queryStart];
  pushMembers(chunks, answer.deviceKeys);
  chunks.push(masterKeysStart);
  pushMembers(chunks, answer.masterKeys);
  chunks.push(selfSigningKeysStart);
  pushMembers(chunks, answer.selfSigningKeys);
  return chunks;
}

/** Members begin with a comma, which the first of them goes without. */
function pushMembers(chunks: (Buffer | string)[], members: readonly Buffer[]): void {
  const start = chunks.length;
  for (const member of members) chunks.push(member);
  const [first] = members;
  if (first) chunks[start] = first.subarray(1);
}

/**
 * The answer of `/keys/claim`.
 * @param keys those of one user follow each other
 * @param failures left out for servers
 */
export function claimJson(keys: readonly ClaimedKey[], failures?: KeyFailures): JsonChunks {
  const chunks: string[] = ['{"one_time_keys":{'];
  let userId: string | undefined;
  for (const key of keys) {
    if (key.userId === userId) chunks.push(`,${claimedKeyJson(key)}`);
    else
      chunks.push(`${userId === undefined ? "" : "},"}${JSON.stringify(key.userId)}:{${claimedKeyJson(key)}`);
    userId = key.userId;
  }
  chunks.push(`${userId === undefined ? "" : "}"}}`);
  chunks.push(failures === undefined ? "}" : `,"failures":${JSON.stringify(failures)}}`);
  return new JsonChunks(chunks);
}

function claimedKeyJson({ deviceId, algorithm, keyId, key }: ClaimedKey): string {
  return `${JSON.stringify(deviceId)}:{${JSON.stringify(`${algorithm}:${keyId}`)}:${key}}`;
}
